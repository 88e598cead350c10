package io.holdfast.tools.pub;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The packaged command, interrupted as by Ctrl-C. */
class PubSystemTest {
  private static final int LINES = 20_000;

  @TempDir Path temp;

  private Path lines() throws Exception {
    return Files.write(
        temp.resolve("lines.txt"), IntStream.range(0, LINES).mapToObj(Integer::toString).toList());
  }

  /** A signal, while the pace holds back most of what was read. */
  @ParameterizedTest
  @ValueSource(strings = {"INT", "TERM"})
  void shouldNotFloodTheBrokerWithTheRest(String signal) throws Exception {
    Path lines = lines();
    try (FakeBroker broker = new FakeBroker();
        ToolProcess pub =
            ToolProcess.start(
                temp, "exec $TOOLS pub -t t --rate 20 -b " + broker.tcp() + " < " + lines)) {
      await().atMost(Duration.ofMinutes(3)).until(() -> broker.published("t").size() > 3);
      pub.signal(signal);
      assertEquals(signal.equals("INT") ? 130 : 143, pub.code(), pub.err());
      List<String> published = broker.published("t");
      assertTrue(published.size() < LINES / 2, published.size() + " published");
      for (int i = 0; i < published.size(); i++) {
        assertEquals("" + i, published.get(i));
      }
      assertTrue(pub.err().contains(" read but not published\n"), pub.err());
      assertTrue(pub.err().contains("published " + published.size() + " messages, "), pub.err());
    }
  }
}
