package io.holdfast.tools.tail;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.tools.FakeBroker;
import io.holdfast.tools.ToolRun;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TailCommandTest {
  private FakeBroker broker;

  @BeforeEach
  void open() throws IOException {
    broker = new FakeBroker();
  }

  @AfterEach
  void close() throws IOException {
    broker.close();
  }

  private ToolRun tail(String... more) {
    return ToolRun.start(
        "",
        Stream.concat(
                Stream.of("tail", "-q", "-t", "t", "-b", broker.tcp().toString()), Stream.of(more))
            .toArray(String[]::new));
  }

  @Test
  void shouldPrintAndFinishUntilStopped() throws Exception {
    broker.put("t", "a", "b");
    ToolRun run = tail("-c", "c");
    await().until(() -> run.out().equals("a\nb\n") && broker.finished() == 2);
    broker.put("t", "c");
    await().until(() -> run.out().equals("a\nb\nc\n") && broker.finished() == 3);
    run.stop.stop();
    assertEquals(0, run.code());
    assertEquals("", run.err());
    assertTrue(broker.commands().contains("CLS"));
  }

  @Test
  void shouldUseAnEphemeralChannelOfItsOwn() throws Exception {
    ToolRun run = tail();
    await()
        .until(
            () ->
                broker.commands().stream()
                    .anyMatch(line -> line.matches("SUB t tail\\d{6}#ephemeral")));
    run.stop.stop();
    assertEquals(0, run.code());
  }

  @Test
  void shouldShowTheBacklogAndLeaveIt() throws Exception {
    broker.put("t", "a", "b");
    ToolRun look = tail("-n", "2");
    assertEquals(0, look.code());
    assertEquals("a\nb\n", look.out());
    ToolRun take = tail("-n", "2", "-c", "c");
    assertEquals(0, take.code());
    assertEquals("a\nb\n", take.out());
  }

  @Test
  void shouldRefuseABrokerThatWouldLoseTheBacklog() throws Exception {
    broker.keepsBacklog = false;
    broker.put("t", "a", "b");
    ToolRun run = tail("-n", "2");
    assertEquals(1, run.code());
    assertTrue(run.err().contains("--channel tail#ephemeral"), run.err());
    assertEquals(1, run.err().lines().count());
    assertTrue(broker.commands().stream().noneMatch(line -> line.startsWith("SUB")));
    assertEquals(0, tail("-n", "2", "-c", "tail#ephemeral").code());
  }

  @Test
  void shouldEndAfterNAndTakeNoMore() throws Exception {
    broker.put("t", "a", "b", "c", "d");
    ToolRun run = tail("-n", "2", "-c", "c");
    assertEquals(0, run.code());
    assertEquals("a\nb\n", run.out());
    assertEquals(2, broker.finished());
    assertTrue(broker.commands().contains("RDY 2"));
  }

  @ParameterizedTest
  @CsvSource({"text,hi", "hex,6869", "base64,aGk="})
  void shouldPrintInTheFormat(String format, String expected) throws Exception {
    broker.put("t", "hi");
    ToolRun run = tail("-n", "1", "-f", format, "-c", "c");
    assertEquals(0, run.code());
    assertEquals(expected + "\n", run.out());
  }

  @Test
  void shouldNotLetABodySteerTheTerminal() throws Exception {
    String body = "a\u001b[2J\nb\tc\u009bd\u202e\u00e9";
    broker.put("t", body, body, body);
    String[] args = {"tail", "-q", "-t", "t", "-c", "c", "-n", "1", "-b", broker.tcp().toString()};
    ToolRun seen = ToolRun.onTerminal(args);
    assertEquals(0, seen.code());
    assertEquals("a\\u001b[2J\\nb\\tc\\u009bd\\u202e\u00e9\n", seen.out());
    ToolRun piped = ToolRun.start("", args);
    assertEquals(0, piped.code());
    assertEquals(body + "\n", piped.out());
    ToolRun json = tail("-c", "c", "-n", "1", "-f", "json");
    assertEquals(0, json.code());
    assertTrue(json.out().contains("c\\u009bd\\u202e\u00e9\""), json.out());
    assertEquals(body, new ObjectMapper().readTree(json.out()).get("body").asText());
  }

  @Test
  void shouldPrintJsonThatPubReadsBack() throws Exception {
    broker.put("t", "say \"hi\"");
    ToolRun run = tail("-n", "1", "-f", "json", "-c", "c");
    assertEquals(0, run.code());
    assertEquals(
        "{\"topic\":\"t\",\"id\":\"0000000000000001\",\"time\":\"2023-11-14T22:13:20.123456789Z\","
            + "\"timestamp\":1700000000123456789,\"attempts\":1,\"broker\":\""
            + broker.tcp()
            + "\",\"body\":\"say \\\"hi\\\"\"}\n",
        run.out());
    ToolRun back =
        ToolRun.start(run.out(), "pub", "-t", "u", "-f", "json", "-b", broker.tcp().toString());
    assertEquals(0, back.code());
    assertEquals(java.util.List.of("say \"hi\""), broker.published("u"));
  }

  @Test
  void shouldConnectAgain() throws Exception {
    ToolRun run = tail("-c", "c");
    broker.put("t", "a");
    await().until(() -> run.out().equals("a\n"));
    broker.disconnectAll();
    broker.put("t", "b");
    await().until(() -> run.out().endsWith("b\n"));
    run.stop.stop();
    assertEquals(0, run.code());
  }

  @Test
  void shouldPrintADuplicateAndOutliveItsRefusedFin() throws Exception {
    broker.duplicate.set(1);
    broker.put("t", "a", "b");
    ToolRun run = tail("-c", "c");
    await().until(() -> run.out().equals("a\na\nb\n") && broker.finished() == 2);
    run.stop.stop();
    assertEquals(0, run.code());
  }

  @Test
  void shouldRediscoverThroughLookupd() throws Exception {
    broker.httpAnswers.put("/lookup", "{\"producers\":[]}");
    broker.put("t", "a");
    ToolRun run =
        ToolRun.start(
            "",
            "tail -q -t t -c c -n 1 --rediscover 100ms -l".split(" ")[0],
            "-q",
            "-t",
            "t",
            "-c",
            "c",
            "-n",
            "1",
            "--rediscover",
            "100ms",
            "-l",
            broker.http().toString());
    broker.httpAnswers.put(
        "/lookup",
        "{\"producers\":[{\"broadcast_address\":\"127.0.0.1\",\"tcp_port\":%d,\"http_port\":%d}]}"
            .formatted(broker.tcp().port(), broker.http().port()));
    assertEquals(0, run.code());
    assertEquals("a\n", run.out());
  }
}
