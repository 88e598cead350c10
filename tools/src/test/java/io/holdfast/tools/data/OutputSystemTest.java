package io.holdfast.tools.data;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolProcess;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Output that cannot be written: a full device, a reader that left. */
class OutputSystemTest {
  @TempDir Path temp;

  private ToolProcess run(String script) throws Exception {
    return ToolProcess.start(temp, script);
  }

  @ParameterizedTest
  @CsvSource({"--version", "export DIR -t orders", "tail -q -t t -c c -b TCP"})
  void shouldFailOnAFullDevice(String command) throws Exception {
    SampleDir.create(temp.resolve("data"));
    try (FakeBroker broker = new FakeBroker()) {
      broker.put("t", "a", "b");
      String filled =
          command
              .replace("DIR", temp.resolve("data").toString())
              .replace("TCP", broker.tcp().toString());
      try (ToolProcess run = run("exec $TOOLS " + filled + " > /dev/full")) {
        assertEquals(1, run.code(), run.err());
        assertEquals("holdfast-tools: standard output: No space left on device\n", run.err());
        assertEquals(0, broker.finished());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0,dump DIR --format json", "141,export DIR -t orders"})
  void shouldEndQuietlyWhenNobodyReads(int code, String command) throws Exception {
    SampleDir.create(temp.resolve("data"));
    String filled = command.replace("DIR", temp.resolve("data").toString());
    try (ToolProcess run = run("$TOOLS " + filled + " | true; exit ${PIPESTATUS[0]}")) {
      assertEquals(code, run.code());
      assertEquals("", run.err());
    }
  }

  @Test
  void shouldNotFinishWhatTheReaderOfAPipeDidNotTake() throws Exception {
    try (FakeBroker broker = new FakeBroker();
        ToolProcess run =
            run(
                "$TOOLS tail -q -t t -c c -b "
                    + broker.tcp()
                    + " | head -n 1; exit ${PIPESTATUS[0]}")) {
      broker.put("t", "a");
      await().until(() -> broker.finished() == 1);
      // The pipe is closed by and by; from then on nothing may be finished.
      await().until(() -> run.out().equals("a\n"));
      for (int i = 0; broker.connected() > 0 && i < 100; i++) {
        broker.put("t", "more " + i);
        Thread.sleep(20);
      }
      assertEquals(0, run.code(), run.err());
      assertEquals("", run.err());
      assertTrue(broker.finished() < broker.published("t").size());
    }
  }
}
