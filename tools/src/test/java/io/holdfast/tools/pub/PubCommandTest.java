package io.holdfast.tools.pub;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PubCommandTest {
  private FakeBroker broker;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
  }

  @AfterEach
  void close() throws IOException {
    broker.close();
  }

  private ToolRun pub(String input, String... more) {
    return ToolRun.start(input, args(more));
  }

  private String[] args(String... more) {
    return java.util.stream.Stream.concat(
            java.util.stream.Stream.of("pub", "-t", "t", "-b", broker.tcp().toString()),
            java.util.stream.Stream.of(more))
        .toArray(String[]::new);
  }

  private static String lines(int count) {
    return String.join("\n", numbers(count));
  }

  private static List<String> numbers(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  @Test
  void shouldPublishEveryLineInOrderAndSumUp() throws Exception {
    ToolRun run = pub(lines(1000), "--batch", "64");
    assertEquals(0, run.code(), run.err());
    assertEquals(numbers(1000), broker.published("t"));
    assertTrue(run.err().startsWith("published 1,000 messages, 2.9 kB in "), run.err());
    assertTrue(broker.commands().contains("MPUB t"));
  }

  @Test
  void shouldSendAgainWhatWasNotTaken() throws Exception {
    broker.breakBeforeStoring.set(3);
    ToolRun run = pub(lines(10), "--batch", "1");
    assertEquals(0, run.code(), run.err());
    assertEquals(numbers(10), broker.published("t"));
    assertTrue(run.err().contains("retries 3"), run.err());
  }

  @Test
  void shouldPublishTwiceRatherThanNotAtAll() throws Exception {
    broker.breakAfterStoring.set(1);
    ToolRun run = pub(lines(3), "--batch", "1");
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("0", "0", "1", "2"), broker.published("t"));
    assertTrue(run.err().contains("published 3 messages"), run.err());
  }

  @Test
  void shouldGoOnWithTheNextBrokerWhenOneIsGone() throws Exception {
    try (FakeBroker other = new FakeBroker()) {
      broker.breakBeforeStoring.set(Integer.MAX_VALUE);
      ToolRun run = pub(lines(20), "--batch", "2", "-b", other.tcp().toString());
      assertEquals(0, run.code(), run.err());
      assertEquals(numbers(20), other.published("t"));
      assertEquals(List.of(), broker.published("t"));
    }
  }

  @Test
  void shouldTakeBrokersInTurn() throws Exception {
    try (FakeBroker other = new FakeBroker()) {
      ToolRun run = pub(lines(20), "--batch", "1", "-b", other.tcp().toString());
      assertEquals(0, run.code(), run.err());
      assertEquals(10, other.published("t").size());
      assertEquals(10, broker.published("t").size());
    }
  }

  @Test
  void shouldFindBrokersThroughLookupd() throws Exception {
    broker.httpAnswers.put(
        "/nodes",
        "{\"producers\":[{\"broadcast_address\":\"127.0.0.1\",\"tcp_port\":%d,\"http_port\":%d}]}"
            .formatted(broker.tcp().port(), broker.http().port()));
    ToolRun run = ToolRun.start("a", "pub", "-t", "t", "-l", broker.http().toString());
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("a"), broker.published("t"));
  }

  @Test
  void shouldNotRetryWhatTheBrokerWillNeverTake() throws Exception {
    broker.publishError = "E_BAD_MESSAGE PUB message too big 5 > 4";
    ToolRun run = pub("12345");
    assertEquals(1, run.code());
    assertTrue(
        run.err().contains("the broker refuses: E_BAD_MESSAGE PUB message too big 5 > 4"),
        run.err());
  }

  @Test
  void shouldGiveUpAfterAWhile() throws Exception {
    broker.publishError = "E_PUB_FAILED PUB failed no space left on device";
    ToolRun run = pub("12345", "--retry-for", "50ms");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("1 message not published"), run.err());
    assertTrue(run.err().contains("no space left on device"), run.err());
  }

  @Test
  void shouldDeferOneByOne() throws Exception {
    ToolRun run = pub("a\nb", "--defer", "250ms");
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("a", "b"), broker.published("t"));
    assertEquals(2, broker.commands().stream().filter("DPUB t 250"::equals).count());
  }

  @Test
  void shouldSendAgainOnlyTheDeferredOnesThatWereNotAnswered() throws Exception {
    ToolRun run = pub("a\nb", "--defer", "1s", "--quiet");
    assertEquals(0, run.code(), run.err());
    broker.breakBeforeStoring.set(1);
    run = pub("c\nd\ne", "--defer", "1s");
    assertEquals(0, run.code(), run.err());
    assertEquals(List.of("a", "b", "c", "d", "e"), broker.published("t"));
  }

  @Test
  void shouldPublishWhatIsThereWithoutWaitingForMoreAndEndOnStop() throws Exception {
    try (PipedOutputStream typed = new PipedOutputStream();
        PipedInputStream in = new PipedInputStream(typed)) {
      ToolRun run = ToolRun.start(in, args());
      typed.write("first\n".getBytes(StandardCharsets.UTF_8));
      typed.flush();
      await().until(() -> broker.published("t").equals(List.of("first")));
      run.stop.stop();
      assertEquals(0, run.code());
      assertTrue(run.err().startsWith("published 1 message, "), run.err());
    }
  }

  @Test
  void shouldNotPublishTheRestAtOnceWhenStopped() throws Exception {
    ToolRun run = pub(lines(100), "--rate", "20", "-q");
    await().until(() -> broker.published("t").size() > 1);
    run.stop.stop();
    assertEquals(0, run.code(), run.err());
    int published = broker.published("t").size();
    assertTrue(published < 50, published + " published");
    assertEquals("stopped; " + (100 - published) + " messages read but not published\n", run.err());
  }

  @Test
  void shouldKeepTheRate() throws Exception {
    long startNs = System.nanoTime();
    ToolRun run = pub(lines(40), "--rate", "200");
    assertEquals(0, run.code(), run.err());
    assertEquals(numbers(40), broker.published("t"));
    long ms = (System.nanoTime() - startNs) / 1_000_000;
    assertTrue(ms >= 90, ms + " ms"); // 200 ms less the burst of two ticks at the start.
  }

  @Test
  void shouldPublishWhatCameBeforeAFault() throws Exception {
    ToolRun run = pub("{\"body\":\"a\"}\nnonsense\n", "--format", "json");
    assertEquals(1, run.code());
    assertEquals(List.of("a"), broker.published("t"));
    assertTrue(run.err().contains("line 2 is not JSON"), run.err());
  }
}
