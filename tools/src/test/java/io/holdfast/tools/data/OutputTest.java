package io.holdfast.tools.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Output that cannot be written is told by every command, and a reader that left by none. */
class OutputTest {
  @TempDir Path temp;

  private static OutputStream failing(String why) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        throw new IOException(why);
      }
    };
  }

  @ParameterizedTest
  @CsvSource({
    "0,--help",
    "0,bench pub --help",
    "0,--version",
    "0,generate-completion",
    "0,bench suite --list",
    "0,dump DIR --format json",
    "0,dump DIR",
    "0,summary DIR",
    "0,verify DIR",
    "141,export DIR -t orders",
    "0,stat -n 1 -b HTTP",
    "0,stat -i 10ms -f json -b HTTP",
    "0,bench pub --count 10 -b TCP",
    "0,tail -q -t t -c c -b TCP"
  })
  void shouldTellOfOutputThatCannotBeWritten(int pipeCode, String command) throws Exception {
    SampleDir.create(temp.resolve("data"));
    try (FakeBroker broker = new FakeBroker()) {
      broker.httpAnswers.put("/stats", "{\"topics\":[{\"topic_name\":\"t\"}]}");
      broker.put("t", "a", "b");
      String[] args =
          command
              .replace("DIR", temp.resolve("data").toString())
              .replace("HTTP", broker.http().toString())
              .replace("TCP", broker.tcp().toString())
              .split(" ");
      ToolRun full = ToolRun.writingTo(failing("No space left on device"), args);
      assertEquals(1, full.code());
      assertEquals("holdfast-tools: standard output: No space left on device\n", full.err());
      ToolRun closed = ToolRun.writingTo(failing("Broken pipe"), args);
      assertEquals(pipeCode, closed.code());
      assertEquals("", closed.err());
      assertEquals(0, broker.finished());
    }
  }

  @Test
  void shouldTellOfDefectsThoughTheyCannotBeWritten() throws Exception {
    SampleDir sample = SampleDir.create(temp.resolve("data"));
    SampleDir.overwrite(sample.journalFile(), sample.recordOffset(3) + 8, 0x1234);
    String dir = temp.resolve("data").toString();
    assertEquals(1, ToolRun.writingTo(failing("Broken pipe"), "verify", dir).code());
  }
}
