package io.holdfast.broker.policy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.holdfast.broker.config.Options;
import io.holdfast.broker.config.OptionsLoader;
import io.holdfast.broker.config.Parsed;
import io.holdfast.broker.policy.ChannelPolicy.Backoff;
import io.holdfast.broker.policy.ChannelPolicy.Expired;
import io.holdfast.broker.policy.TopicPolicy.WhenFull;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class PolicyBookTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path dir;

  private Parsed parsed(String toml, String... flags) {
    try {
      Path file = Files.writeString(dir.resolve("nsqd.cfg"), toml);
      Stream<String> args =
          Stream.concat(Stream.of("--config=" + file, "--data-path=" + dir), Stream.of(flags));
      return PolicyBook.checked(OptionsLoader.parse(args.toArray(String[]::new)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Options options(String toml, String... flags) {
    Parsed parsed = parsed(toml, flags);
    return assertInstanceOf(Parsed.Run.class, parsed, parsed::toString).options();
  }

  private PolicyBook book(String toml, String... flags) throws BadPolicyException {
    return new PolicyBook(options(toml, flags));
  }

  private static JsonNode json(String text) {
    try {
      return JSON.readTree(text);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(text, e);
    }
  }

  static Stream<Arguments> goodValues() {
    return Stream.of(
        Arguments.of("max_attempts", "0", "0", 0L),
        Arguments.of("max_attempts", "65535", "65535", 65_535L),
        Arguments.of("dead_letter", "\"keep\"", "keep", "keep"),
        Arguments.of("dead_letter", "\"drop\"", "drop", "drop"),
        Arguments.of("dead_letter", "\"orders-dead\"", "orders-dead", "orders-dead"),
        Arguments.of("max_dead", "1", "1", 1L),
        Arguments.of("max_dead", "1000000", "1000000", 1_000_000L),
        Arguments.of("message_ttl", "\"0s\"", "0s", "0s"),
        Arguments.of("message_ttl", "0", "0s", "0s"),
        Arguments.of("message_ttl", "1500", "1.5s", "1.5s"),
        Arguments.of("message_ttl", "\"90m\"", "1h30m0s", "1h30m0s"),
        Arguments.of("expired", "\"dead\"", "dead", "dead"),
        Arguments.of("ordered", "true", "true", true),
        Arguments.of("msg_timeout", "\"1s\"", "1s", "1s"),
        Arguments.of("msg_timeout", "900000", "15m0s", "15m0s"),
        Arguments.of("max_in_flight", "0", "0", 0L),
        Arguments.of("max_in_flight", "2147483647", "2147483647", 2_147_483_647L),
        Arguments.of("requeue_backoff", "\"\"", "", ""),
        Arguments.of("requeue_backoff", "\"1s..10m\"", "1s..10m", "1s..10m"),
        Arguments.of("requeue_backoff", "\"1ms..1h\"", "1ms..1h", "1ms..1h"),
        Arguments.of("retain_for", "\"24h\"", "24h0m0s", "24h0m0s"),
        Arguments.of("retain_bytes", "\"64KB\"", "64000", 64_000L),
        Arguments.of("retain_bytes", "\"64MiB\"", "67108864", 67_108_864L),
        Arguments.of("retain_bytes", "9223372036854775807", "9223372036854775807", Long.MAX_VALUE),
        Arguments.of("max_depth", "10", "10", 10L),
        Arguments.of("max_bytes", "0", "0", 0L),
        Arguments.of("when_full", "\"drop_oldest\"", "drop_oldest", "drop_oldest"));
  }

  private static boolean isTopics(String field) {
    return TOPIC_FIELDS.contains(field);
  }

  private static final List<String> TOPIC_FIELDS =
      List.of("retain_for", "retain_bytes", "max_depth", "max_bytes", "when_full");

  @ParameterizedTest
  @MethodSource("goodValues")
  void shouldReadEachFieldFromJsonAndToml(String field, String value, String text, Object shown)
      throws BadPolicyException {
    String kind = isTopics(field) ? "" : "channel = \"*\"\n";
    PolicyBook book = book("[[policy]]\ntopic = \"*\"\n" + kind + field + " = " + value);
    JsonNode change = json("{\"" + field + "\":" + value + "}");
    Map<String, String> hand =
        isTopics(field)
            ? book.changedTopic(Map.of(), change)
            : book.changedChannel("orders", Map.of(), change);
    assertEquals(Map.of(field, text), hand);
    assertEquals(new PolicyBook.Shown(shown, "hand"), shown(book, field, hand));
    assertEquals(new PolicyBook.Shown(shown, "config"), shown(book, field, Map.of()));
  }

  private static PolicyBook.Shown shown(PolicyBook book, String field, Map<String, String> hand) {
    return (isTopics(field)
            ? book.shownTopic("orders", hand)
            : book.shownChannel("orders", "billing", hand))
        .get(field);
  }

  static Stream<Arguments> badValues() {
    return Stream.of(
            Map.entry(
                "max_attempts", List.of("-1", "65536", "\"5\"", "1.5", "1.0", "true", "[1]", "{}")),
            Map.entry(
                "dead_letter",
                List.of("\"\"", "\"a b\"", "\"x#ephemeral\"", "5", "\"" + "x".repeat(65) + "\"")),
            Map.entry("max_dead", List.of("0", "1000001", "99999999999999999999", "\"7\"")),
            Map.entry(
                "message_ttl", List.of("-1", "\"-1s\"", "\"5\"", "\"1d\"", "1.5", "true", "\"\"")),
            Map.entry("expired", List.of("\"keep\"", "\"Drop\"", "false")),
            Map.entry("ordered", List.of("\"yes\"", "\"true\"", "1", "0")),
            Map.entry("msg_timeout", List.of("0", "999", "\"999ms\"", "\"15m1s\"", "\"0s\"")),
            Map.entry("max_in_flight", List.of("-1", "2147483648", "\"1\"")),
            Map.entry(
                "requeue_backoff",
                List.of(
                    "\"1s\"",
                    "\"1s..\"",
                    "\"..1s\"",
                    "\"10s..1s\"",
                    "\"0s..1s\"",
                    "\"999us..1s\"",
                    "\"1s..1h1s\"",
                    "\"1s..2s..3s\"",
                    "1")),
            Map.entry("retain_for", List.of("-1", "\"-1s\"", "\"1x\"")),
            Map.entry("retain_bytes", List.of("-1", "\"5\"", "\"64 XB\"", "1.5", "\"-1KB\"")),
            Map.entry("max_depth", List.of("-1", "\"10\"", "10.5", "false")),
            Map.entry("max_bytes", List.of("-1", "\"lots\"")),
            Map.entry("when_full", List.of("\"drop\"", "\"\"", "1")))
        .flatMap(
            field -> field.getValue().stream().map(value -> Arguments.of(field.getKey(), value)));
  }

  @ParameterizedTest
  @MethodSource("badValues")
  void shouldRefuseWhatAFieldDoesNotAccept(String field, String value) throws BadPolicyException {
    PolicyBook book = book("");
    JsonNode change = json("{\"" + field + "\":" + value + "}");
    BadPolicyException refusal =
        assertThrows(
            BadPolicyException.class,
            () -> {
              if (isTopics(field)) {
                book.changedTopic(Map.of(), change);
              } else {
                book.changedChannel("orders", Map.of(), change);
              }
            });
    assertTrue(refusal.getMessage().startsWith(field + ": "), refusal.getMessage());
    assertTrue(refusal.getMessage().contains(", accepted is "), refusal.getMessage());
    if (value.startsWith("{")) {
      return; // TOML writes tables otherwise
    }
    String kind = isTopics(field) ? "" : "channel = \"*\"\n";
    Parsed parsed = parsed("\n[[policy]]\ntopic = \"*\"\n" + kind + field + " = " + value);
    Parsed.Fail fail = assertInstanceOf(Parsed.Fail.class, parsed, parsed::toString);
    assertEquals(1, fail.exitCode());
    int line = isTopics(field) ? 4 : 5;
    String where =
        "holdfast: " + dir.resolve("nsqd.cfg") + ":" + line + ": policy: " + field + " \"";
    if (!value.startsWith("9999999")) { // beyond 64 bits the parser itself may refuse it
      assertTrue(fail.message().startsWith(where), fail.message());
      assertTrue(fail.message().contains("\": accepted is "), fail.message());
    }
    assertFalse(fail.message().contains("\n"), fail.message());
  }

  @Test
  void shouldSayWhatIsWrongInOneLine() throws BadPolicyException {
    PolicyBook book = book("");
    assertEquals(
        "max_attempts: -1, accepted is 0 to 65535", refusal(book, "{\"max_attempts\":-1}"));
    assertEquals(
        "max_atempts: unknown, did you mean max_attempts?", refusal(book, "{\"max_atempts\":1}"));
    assertEquals("max_depth: unknown, it is a field of topics", refusal(book, "{\"max_depth\":1}"));
    assertEquals("body: not a JSON object", refusal(book, "[1]"));
    assertEquals("body: not a JSON object", refusal(book, "null"));
    for (String nasty :
        List.of(
            "{\"" + "x\\n".repeat(1000) + "\":1}",
            "{\"ordered\":\"" + "\\u202e\\n".repeat(1000) + "\"}",
            "{\"" + "\ud83d\ude00".repeat(1000) + "\":null}")) {
      String reason = refusal(book, nasty);
      assertTrue(reason.length() <= 240, reason);
      assertTrue(reason.chars().noneMatch(c -> c < ' ' || c == 0x202e), reason);
    }
  }

  private static String refusal(PolicyBook book, String change) {
    return assertThrows(
            BadPolicyException.class,
            () -> book.changedChannel("orders", Map.of(), json(change)),
            change)
        .getMessage();
  }

  @Test
  void shouldChangeAllOrNothingAndUnsetByNull() throws BadPolicyException {
    PolicyBook book = book("");
    Map<String, String> before = Map.of("max_attempts", "3", "ordered", "true");
    assertEquals(before, book.changedChannel("t", before, json("{}")));
    assertEquals(
        Map.of("ordered", "true", "max_dead", "5"),
        book.changedChannel("t", before, json("{\"max_attempts\":null,\"max_dead\":5}")));
    assertThrows(
        BadPolicyException.class,
        () -> book.changedChannel("t", before, json("{\"max_dead\":5,\"max_attempts\":-1}")));
    assertThrows(
        BadPolicyException.class, () -> book.changedChannel("t", before, json("{\"no\":null}")));
  }

  @Test
  void shouldRefuseTheOwnTopicForDeadLettersSetByHandAndKeepThemWhereAPatternNamesIt()
      throws BadPolicyException {
    PolicyBook book =
        book(
            "[[policy]]\ntopic = \"*\"\nchannel = \"*\"\ndead_letter = \"dead\"\nmax_attempts = 2");
    assertThrows(
        BadPolicyException.class,
        () -> book.changedChannel("dead", Map.of(), json("{\"dead_letter\":\"dead\"}")));
    assertEquals("dead", book.ofChannel("orders", "c", Map.of()).deadLetter());
    assertEquals("keep", book.ofChannel("dead", "c", Map.of()).deadLetter());
    assertEquals(2, book.ofChannel("dead", "c", Map.of()).maxAttempts());
    // "keep" and "drop" are words, also where a topic has that name.
    assertEquals(
        Map.of("dead_letter", "drop"),
        book.changedChannel("drop", Map.of(), json("{\"dead_letter\":\"drop\"}")));
    assertEquals("drop", book.ofChannel("drop", "c", Map.of("dead_letter", "drop")).deadLetter());
  }

  @Test
  void shouldTakeTheFirstEntryThatMatchesWhole() throws BadPolicyException {
    PolicyBook book =
        book(
            """
            [[policy]]
            topic = "orders.eu"
            channel = "billing"
            max_attempts = 2

            [[policy]]
            topic = "orders.*"
            channel = "*"
            max_attempts = 5
            dead_letter = "orders-dead"

            [[policy]]
            topic = "*"
            retain_for = "24h"

            [[policy]]
            topic = "orders.*"
            max_depth = 10
            """);
    ChannelPolicy first = book.ofChannel("orders.eu", "billing", Map.of());
    assertEquals(2, first.maxAttempts());
    assertEquals("keep", first.deadLetter());
    ChannelPolicy second = book.ofChannel("orders.eu", "x#ephemeral", Map.of());
    assertEquals(5, second.maxAttempts());
    assertEquals("orders-dead", second.deadLetter());
    assertEquals(ChannelPolicy.DEFAULT, book.ofChannel("orders", "billing", Map.of()));
    assertEquals(
        new TopicPolicy(86_400_000, 0, 0, 0, WhenFull.REJECT), book.ofTopic("orders.eu", Map.of()));
    assertEquals(
        3, book.ofChannel("orders.eu", "billing", Map.of("max_attempts", "3")).maxAttempts());
  }

  static Stream<Arguments> badTables() {
    return Stream.of(
        Arguments.of("[[policy]]\nmax_depth = 1", ":1: policy: topic is missing"),
        Arguments.of("[[policy]]", ":1: policy: topic is missing"),
        Arguments.of(
            "[[policy]]\ntopic = \"\"", ":2: policy: topic \"\": accepted is a topic's name"),
        Arguments.of("[[policy]]\ntopic = 5", ":2: policy: topic \"5\": accepted is"),
        Arguments.of("[[policy]]\ntopic = \"a?\"", ":2: policy: topic \"a?\": accepted is"),
        Arguments.of("[[policy]]\ntopic = \"[ab]\"", ":2: policy: topic \"[ab]\": accepted is"),
        Arguments.of(
            "[[policy]]\ntopic = \"a\"\nchannel = \"b c\"",
            ":3: policy: channel \"b c\": accepted is a channel's name"),
        Arguments.of(
            "[[policy]]\ntopic = \"a\"\n\nmax_atempts = 1\nchannel = \"c\"",
            ":4: policy: unknown key \"max_atempts\": did you mean max_attempts?"),
        Arguments.of(
            "[[policy]]\ntopik = \"a\"\ntopic = \"b\"",
            ":2: policy: unknown key \"topik\": did you mean topic?"),
        Arguments.of(
            "[[policy]]\ntopic = \"a\"\nmax_attempts = 1",
            ":3: policy: unknown key \"max_attempts\": it is a field of channels"),
        Arguments.of(
            "[[policy]]\ntopic = \"a\"\nchannel = \"c\"\nmax_depth = 1",
            ":4: policy: unknown key \"max_depth\": it is a field of topics"),
        Arguments.of(
            "[[policy]]\ntopic = \"a\"\nmax_depth = 5\n[[policy]]\ntopic = \"b\"\nmax_depth = -1",
            ":6: policy: max_depth \"-1\": accepted is 0 or more"),
        Arguments.of(
            "[[ \"policy\" ]] # one\ntopic = \"a\"\n'max_depth' = -1",
            ":3: policy: max_depth \"-1\""),
        Arguments.of("[policy]\ntopic = \"a\"", ":1: policy is one table: write [[policy]]"),
        Arguments.of("policy.topic = \"a\"", ":1: policy is one table: write [[policy]]"),
        Arguments.of("\npolicy = 1", ":2: policy \"1\": accepted is [[policy]]"),
        Arguments.of("policy = [1]", ":1: policy \"1\": accepted is [[policy]]"),
        Arguments.of(
            "policy = [{topic = \"a\", max_depth = -1}]", ":1: policy: max_depth \"-1\": accepted"),
        Arguments.of("[[polcy]]\ntopic = \"a\"", ":1: unknown key \"polcy\": did you mean policy?"),
        Arguments.of(
            "[[policy]]\ntopic = \"a\"\n[[policy]]\ntopic = \"b\"\ntopic = \"c\"",
            ":5: not valid TOML: topic is given twice, first in line 4"));
  }

  @ParameterizedTest
  @MethodSource("badTables")
  void shouldNameFileLineAndWhatIsWrong(String toml, String message) {
    Parsed parsed = parsed(toml);
    Parsed.Fail fail = assertInstanceOf(Parsed.Fail.class, parsed, parsed::toString);
    assertEquals(1, fail.exitCode());
    assertTrue(
        fail.message().startsWith("holdfast: " + dir.resolve("nsqd.cfg") + message),
        fail.message());
  }

  @Test
  void shouldReadNumbersOf19DigitsAsTheyStandInTheirOwnTable() throws BadPolicyException {
    PolicyBook book =
        book(
            "[[policy]]\ntopic = \"a\"\nmax_depth = 1\n"
                + "[[policy]]\ntopic = \"b\"\nmax_depth = 1_000_000_000_000_000_001");
    assertEquals(1, book.ofTopic("a", Map.of()).maxDepth());
    assertEquals(1_000_000_000_000_000_001L, book.ofTopic("b", Map.of()).maxDepth());
  }

  @Test
  void shouldShowTheOptionsWhereNothingIsSet() throws BadPolicyException {
    PolicyBook book = book("", "--msg-timeout=30s", "--retention=1h");
    assertEquals("30s default", text(book.shownChannel("t", "c", Map.of()).get("msg_timeout")));
    assertEquals("1h0m0s default", text(book.shownTopic("t", Map.of()).get("retain_for")));
    assertEquals(
        "max_attempts dead_letter max_dead message_ttl expired ordered msg_timeout max_in_flight"
            + " requeue_backoff",
        String.join(" ", book.shownChannel("t", "c", Map.of()).keySet()));
    assertEquals(
        "retain_for retain_bytes max_depth max_bytes when_full",
        String.join(" ", book.shownTopic("t", Map.of()).keySet()));
    assertEquals(ChannelPolicy.DEFAULT, book.ofChannel("t", "c", Map.of()));
    assertEquals(TopicPolicy.DEFAULT, book.ofTopic("t", Map.of()));
  }

  private static String text(PolicyBook.Shown shown) {
    return shown.value() + " " + shown.from();
  }

  @Test
  void shouldMakeThePolicyOfAllFields() throws BadPolicyException {
    PolicyBook book = book("");
    Map<String, String> hand =
        book.changedChannel(
            "t",
            Map.of(),
            json(
                "{\"max_attempts\":3,\"dead_letter\":\"drop\",\"max_dead\":7,"
                    + "\"message_ttl\":\"1500us\",\"expired\":\"dead\",\"ordered\":true,"
                    + "\"msg_timeout\":\"2s\",\"max_in_flight\":4,"
                    + "\"requeue_backoff\":\"1s..10m\"}"));
    assertEquals(
        new ChannelPolicy(3, "drop", 7, 2, Expired.DEAD, true, 2000, 4, new Backoff(1000, 600_000)),
        book.ofChannel("t", "c", hand));
    Map<String, String> topic =
        book.changedTopic(
            Map.of(),
            json(
                "{\"retain_for\":\"0s\",\"retain_bytes\":\"1KiB\",\"max_depth\":5,"
                    + "\"max_bytes\":6,\"when_full\":\"drop_oldest\"}"));
    assertEquals(new TopicPolicy(0, 1024, 5, 6, WhenFull.DROP_OLDEST), book.ofTopic("t", topic));
  }

  @Test
  void shouldNotUseWhatOptionsDoNotAcceptAnyMore() throws BadPolicyException {
    PolicyBook book = book("", "--max-msg-timeout=5m");
    Map<String, String> hand = Map.of("msg_timeout", "10m0s", "gone", "1");
    assertEquals(0, book.ofChannel("t", "c", hand).msgTimeoutMs());
    assertEquals("default", book.shownChannel("t", "c", hand).get("msg_timeout").from());
  }

  @Test
  void shouldReplaceTheConfigurationsWhole() throws BadPolicyException {
    PolicyBook book = book("[[policy]]\ntopic = \"*\"\nmax_depth = 1");
    assertFalse(book.replace(options("\n[[policy]]\ntopic = \"*\"\nmax_depth = 1").policies()));
    assertTrue(book.replace(options("[[policy]]\ntopic = \"*\"\nmax_depth = 2").policies()));
    assertEquals(2, book.ofTopic("t", Map.of()).maxDepth());
    assertTrue(book.replace(List.of()));
    assertEquals(TopicPolicy.DEFAULT, book.ofTopic("t", Map.of()));
  }

  @Test
  void shouldAcceptTheExampleOfTheConfigurationFile() throws Exception {
    List<String> lines = Files.readAllLines(Path.of("..", "conf", "holdfast.toml"));
    String example =
        lines.subList(lines.indexOf("# [[policy]]"), lines.size()).stream()
            .map(line -> line.substring(1))
            .collect(Collectors.joining("\n"));
    PolicyBook book = book(example);
    assertEquals("orders-dead", book.ofChannel("orders.eu", "c", Map.of()).deadLetter());
    assertEquals(86_400_000, book.ofTopic("x", Map.of()).retainForMs());
  }
}
