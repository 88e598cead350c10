package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Policies of the real broker: set by hand, by the configuration, and where each comes from. */
class PolicySystemTest {
  private static final String CHANNEL = "/channel/policy?topic=orders&channel=billing";
  private static final String TOPIC = "/topic/policy?topic=orders";

  private static BrokerProcess broker;

  @TempDir Path dir;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started("--msg-timeout=30s");
    create(broker.http());
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static void create(Http http) {
    http.post("/topic/create?topic=orders").expect(200, "");
    http.post("/channel/create?topic=orders&channel=billing").expect(200, "");
  }

  private static String field(Http http, String target, String name) {
    Http.Response response = http.get(target);
    assertEquals(200, response.status(), response.body());
    return text(response, name);
  }

  private static String text(Http.Response response, String name) {
    return response.json().path("policy").path(name).path("value").asText()
        + " "
        + response.json().path("policy").path(name).path("from").asText();
  }

  @Test
  void everyFieldIsShownWithWhereItComesFrom() {
    Http http = broker.http();
    http.post("/topic/create?topic=shown").expect(200, "");
    http.post("/channel/create?topic=shown&channel=c").expect(200, "");
    http.get("/channel/policy?topic=shown&channel=c")
        .expect(
            200,
            "{\"topic\":\"shown\",\"channel\":\"c\",\"policy\":{"
                + "\"max_attempts\":{\"value\":0,\"from\":\"default\"},"
                + "\"dead_letter\":{\"value\":\"keep\",\"from\":\"default\"},"
                + "\"max_dead\":{\"value\":100000,\"from\":\"default\"},"
                + "\"message_ttl\":{\"value\":\"0s\",\"from\":\"default\"},"
                + "\"expired\":{\"value\":\"drop\",\"from\":\"default\"},"
                + "\"ordered\":{\"value\":false,\"from\":\"default\"},"
                + "\"msg_timeout\":{\"value\":\"30s\",\"from\":\"default\"},"
                + "\"max_in_flight\":{\"value\":0,\"from\":\"default\"},"
                + "\"requeue_backoff\":{\"value\":\"\",\"from\":\"default\"}}}");
    http.post("/topic/policy?topic=shown", "{\"max_bytes\":\"64KB\",\"retain_for\":90000}")
        .expect(
            200,
            "{\"topic\":\"shown\",\"policy\":{"
                + "\"retain_for\":{\"value\":\"1m30s\",\"from\":\"hand\"},"
                + "\"retain_bytes\":{\"value\":0,\"from\":\"default\"},"
                + "\"max_depth\":{\"value\":0,\"from\":\"default\"},"
                + "\"max_bytes\":{\"value\":64000,\"from\":\"hand\"},"
                + "\"when_full\":{\"value\":\"reject\",\"from\":\"default\"}}}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "/channel/policy?topic=orders&channel=billing | {\"max_attempts\":-1} | 400 |"
            + " INVALID_POLICY max_attempts: -1, accepted is 0 to 65535",
        "/channel/policy?topic=orders&channel=billing | {\"max_attempts\":\"5\"} | 400 |"
            + " INVALID_POLICY max_attempts: \"5\", accepted is 0 to 65535",
        "/channel/policy?topic=orders&channel=billing | {\"max_atempts\":1} | 400 |"
            + " INVALID_POLICY max_atempts: unknown, did you mean max_attempts?",
        "/channel/policy?topic=orders&channel=billing | [1] | 400 |"
            + " INVALID_POLICY body: not a JSON object",
        "/channel/policy?topic=orders&channel=billing | {} {} | 400 |"
            + " INVALID_POLICY body: not a JSON object",
        "/topic/policy?topic=orders | ~~ | 400 | INVALID_POLICY body: not a JSON object",
        "/topic/policy?topic=orders | {\"max_attempts\":1} | 400 |"
            + " INVALID_POLICY max_attempts: unknown, it is a field of channels",
        "/topic/policy | {} | 400 | MISSING_ARG_TOPIC",
        "/topic/policy?topic=a%20b | {} | 400 | INVALID_ARG_TOPIC",
        "/topic/policy?topic=nowhere | {} | 404 | TOPIC_NOT_FOUND",
        "/channel/policy?topic=orders | {} | 400 | MISSING_ARG_CHANNEL",
        "/channel/policy?topic=orders&channel=a%20b | {} | 400 | INVALID_ARG_CHANNEL",
        "/channel/policy?topic=orders&channel=nowhere | {} | 404 | CHANNEL_NOT_FOUND",
        "/channel/policy?topic=nowhere&channel=c | {} | 404 | TOPIC_NOT_FOUND"
      })
  void whatIsWrongIsSaid(String target, String body, int status, String message) {
    Http.Response response = broker.http().post(target, body == null ? "" : body);
    assertEquals(status, response.status(), response.body());
    assertEquals(message, response.json().path("message").asText());
    if (!message.startsWith("INVALID_POLICY")) {
      assertEquals(status, broker.http().get(target).status());
      assertEquals(message, broker.http().get(target).json().path("message").asText());
    }
    assertEquals(
        "{\"message\":\"TOPIC_NOT_FOUND\"}",
        broker.http().get("/topic/policy?topic=nowhere").body());
  }

  @Test
  void deadLettersThatMayBeLostAreSaidInTheLog() {
    Http http = broker.http();
    http.post("/topic/create?topic=lossy").expect(200, "");
    http.post("/topic/create?topic=mourned").expect(200, "");
    http.post("/channel/create?topic=mourned&channel=c").expect(200, "");
    String names = "/channel/policy?topic=mourned&channel=c";
    assertEquals(200, http.post(names, "{\"dead_letter\":\"lossy\"}").status());
    String line = "dead letters of TOPIC(mourned) CHANNEL(c) go to TOPIC(lossy)";
    assertTrue(!broker.log().contains(line), broker.log());
    http.post("/topic/policy?topic=lossy", "{\"max_depth\":5,\"when_full\":\"drop_oldest\"}");
    Awaitility.await().until(() -> broker.log().contains(line));
  }

  @Test
  void aHugeBodyIsRefused() {
    broker.http().post(TOPIC, " ".repeat(70_000)).expect(413, "{\"message\":\"BODY_TOO_BIG\"}");
  }

  @Test
  void eachChangeIsInTheAuditTrail() {
    broker.http().post(TOPIC, "{\"max_depth\":12345}");
    broker.http().post(TOPIC, "{\"max_depth\":-1}");
    Awaitility.await()
        .untilAsserted(
            () -> {
              String log = broker.log();
              assertTrue(
                  log.contains(
                      "action=topic.policy topic=orders value=\"{\\\"max_depth\\\":12345}\""
                          + " result=ok"),
                  log);
              assertTrue(log.contains("result=failed reason=\"INVALID_POLICY max_depth: -1"), log);
            });
    broker.http().post(TOPIC, "{\"max_depth\":null}");
  }

  @Test
  void whatWasSetByHandSurvivesAKillRightAfterTheAnswer() {
    try (BrokerProcess some = BrokerProcess.started()) {
      create(some.http());
      some.http().post(TOPIC, "{\"max_depth\":7,\"when_full\":\"drop_oldest\"}");
      assertEquals(200, some.http().post(CHANNEL, "{\"max_attempts\":3}").status());
      some.kill9();
      some.start();
      assertEquals("3 hand", field(some.http(), CHANNEL, "max_attempts"));
      assertEquals("7 hand", field(some.http(), TOPIC, "max_depth"));
      assertEquals(
          "0 default", text(some.http().post(CHANNEL, "{\"max_attempts\":null}"), "max_attempts"));
      some.kill9();
      some.start();
      assertEquals("0 default", field(some.http(), CHANNEL, "max_attempts"));
      assertEquals("drop_oldest hand", field(some.http(), TOPIC, "when_full"));
      // They go with their topic or channel.
      some.http().post(CHANNEL, "{\"max_attempts\":3}");
      some.http().post("/channel/delete?topic=orders&channel=billing").expect(200, "");
      create(some.http());
      assertEquals("0 default", field(some.http(), CHANNEL, "max_attempts"));
      some.http().post("/topic/delete?topic=orders").expect(200, "");
      create(some.http());
      assertEquals("0 default", field(some.http(), TOPIC, "max_depth"));
    }
  }

  @Test
  void theConfigurationIsReadAgainAtSighup() throws IOException {
    Path file = dir.resolve("nsqd.cfg");
    Files.writeString(
        file,
        "[[policy]]\ntopic = \"orders\"\nchannel = \"*\"\nmax_attempts = 2\nmax_dead = 9\n"
            + "[[policy]]\ntopic = \"*\"\nmax_depth = 5\n");
    try (BrokerProcess some = BrokerProcess.started("--config=" + file)) {
      create(some.http());
      assertEquals("2 config", field(some.http(), CHANNEL, "max_attempts"));
      assertEquals("5 config", field(some.http(), TOPIC, "max_depth"));
      some.http().post(CHANNEL, "{\"max_attempts\":4}");
      assertEquals("9 config", field(some.http(), CHANNEL, "max_dead"));

      Files.writeString(file, "[[policy]]\ntopic = \"orders\"\nmax_depth = \"many\"\n");
      some.signal("HUP");
      Awaitility.await()
          .until(
              () ->
                  some.log()
                      .contains(
                          "reload: nothing is changed: "
                              + file
                              + ":3: policy: max_depth \"many\": accepted is 0 or more"));
      assertEquals("5 config", field(some.http(), TOPIC, "max_depth"));

      Files.writeString(file, "[[policy]]\ntopic = \"ord*\"\nmax_depth = 6\n");
      some.signal("HUP");
      Awaitility.await().until(() -> some.log().contains("reload: policies"));
      assertEquals("6 config", field(some.http(), TOPIC, "max_depth"));
      assertEquals("100000 default", field(some.http(), CHANNEL, "max_dead"));
      assertEquals("4 hand", field(some.http(), CHANNEL, "max_attempts"));
    }
  }

  @Test
  void aBadPolicyIsNoStart() throws IOException {
    Path file = dir.resolve("bad.cfg");
    Files.writeString(file, "[[policy]]\ntopic = \"orders\"\nchannel = \"*\"\nmax_attempts = -1\n");
    try (BrokerProcess some = BrokerProcess.of()) {
      some.launch(List.of("--config=" + file, "--data-path=" + dir));
      assertEquals(1, some.awaitExit(Duration.ofMinutes(2)));
      assertEquals(
          "holdfast: " + file + ":4: policy: max_attempts \"-1\": accepted is 0 to 65535",
          some.stderr().strip());
    }
  }
}
