package io.holdfast.broker.system;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Contract §2 without TLS and compression. */
class IdentifySystemTest {
  private static BrokerProcess broker;
  private static BrokerProcess limited;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
    limited =
        BrokerProcess.started(
            "--max-rdy-count=10",
            "--msg-timeout=2s",
            "--max-msg-timeout=3s",
            "--max-heartbeat-interval=2s",
            "--max-output-buffer-size=128",
            "--max-output-buffer-timeout=100ms",
            "--min-output-buffer-timeout=50ms",
            "--output-buffer-timeout=60ms",
            "--max-deflate-level=4",
            "--deflate=false",
            "--snappy=false",
            "--max-body-size=2000",
            "--topology-region=r\"1",
            "--topology-zone=z<1>");
  }

  @AfterAll
  static void stop() {
    broker.close();
    limited.close();
  }

  private static String negotiate(BrokerProcess broker, String fields) {
    try (RawNsqConnection conn = broker.connect()) {
      return conn.identify("{\"feature_negotiation\":true" + fields + "}")
          .replaceFirst("\"version\":\"[1-9]\\d*\\.\\d+\\.\\d+[^\"]*\"", "\"version\":V");
    }
  }

  private static String reply(
      int msgTimeoutMs, int sampleRate, int bufferSize, int bufferTimeoutMs) {
    return "{\"max_rdy_count\":2500,\"version\":V,\"max_msg_timeout\":900000,\"msg_timeout\":"
        + msgTimeoutMs
        + ",\"tls_v1\":false,\"deflate\":false,\"deflate_level\":6,\"max_deflate_level\":6,\"snappy\":false"
        + ",\"sample_rate\":"
        + sampleRate
        + ",\"auth_required\":false,\"output_buffer_size\":"
        + bufferSize
        + ",\"output_buffer_timeout\":"
        + bufferTimeoutMs
        + ",\"topology_region\":\"\",\"topology_zone\":\"\"}";
  }

  static Stream<Arguments> negotiations() {
    return Stream.of(
        arguments("", reply(60000, 0, 16384, 250)),
        arguments(
            ",\"msg_timeout\":0,\"output_buffer_size\":0,\"output_buffer_timeout\":0,\"heartbeat_interval\":0",
            reply(60000, 0, 16384, 250)),
        arguments(
            ",\"msg_timeout\":null,\"sample_rate\":null,\"client_id\":null",
            reply(60000, 0, 16384, 250)),
        arguments(",\"msg_timeout\":1000", reply(1000, 0, 16384, 250)),
        arguments(",\"msg_timeout\":900000", reply(900000, 0, 16384, 250)),
        arguments(",\"MSG_Timeout\":5000,\"SAMPLE_RATE\":7", reply(5000, 7, 16384, 250)),
        arguments(
            ",\"keeps_backlog\":true",
            reply(60000, 0, 16384, 250).replaceFirst("}$", ",\"keeps_backlog\":true}")),
        arguments(",\"sample_rate\":99", reply(60000, 99, 16384, 250)),
        arguments(",\"output_buffer_size\":64", reply(60000, 0, 64, 250)),
        arguments(",\"output_buffer_size\":65536", reply(60000, 0, 65536, 250)),
        arguments(",\"output_buffer_size\":-1", reply(60000, 0, 1, 0)),
        arguments(",\"output_buffer_timeout\":25", reply(60000, 0, 16384, 25)),
        arguments(",\"output_buffer_timeout\":30000", reply(60000, 0, 16384, 30000)),
        arguments(",\"output_buffer_timeout\":-1", reply(60000, 0, 16384, 0)),
        arguments(",\"heartbeat_interval\":-1", reply(60000, 0, 16384, 250)),
        arguments(",\"heartbeat_interval\":1000", reply(60000, 0, 16384, 250)),
        arguments(",\"heartbeat_interval\":60000", reply(60000, 0, 16384, 250)),
        arguments(",\"tls_v1\":true", reply(60000, 0, 16384, 250)),
        arguments(",\"deflate_level\":3", reply(60000, 0, 16384, 250)),
        arguments(
            ",\"topology_region\":\"mine\",\"topology_zone\":\"mine\"",
            reply(60000, 0, 16384, 250)),
        arguments(",\"unknown\":{\"a\":[1]}", reply(60000, 0, 16384, 250)));
  }

  @ParameterizedTest
  @MethodSource("negotiations")
  void shouldNegotiate(String fields, String reply) {
    assertEquals(reply, negotiate(broker, fields));
  }

  @Test
  void shouldNegotiateWithinTheServersLimits() {
    assertEquals(
        "{\"max_rdy_count\":10,\"version\":V,\"max_msg_timeout\":3000,\"msg_timeout\":2000,\"tls_v1\":false,"
            + "\"deflate\":false,\"deflate_level\":4,\"max_deflate_level\":4,\"snappy\":false,\"sample_rate\":0,"
            + "\"auth_required\":false,\"output_buffer_size\":16384,\"output_buffer_timeout\":60,"
            + "\"topology_region\":\"r\\\"1\",\"topology_zone\":\"z\\u003c1\\u003e\"}",
        negotiate(limited, ",\"deflate\":true,\"snappy\":true,\"deflate_level\":9"));
  }

  static Stream<Arguments> outOfRange() {
    return Stream.of(
        arguments("heartbeat_interval", List.of(-2, 1, 999, 60001), "heartbeat interval"),
        arguments("output_buffer_timeout", List.of(-2, 1, 24, 30001), "output buffer timeout"),
        arguments("output_buffer_size", List.of(-2, 1, 63, 65537), "output buffer size"),
        arguments("sample_rate", List.of(-1, 100), "sample rate"),
        arguments("msg_timeout", List.of(-1, 1, 999, 900001), "msg timeout"));
  }

  @ParameterizedTest
  @MethodSource("outOfRange")
  void shouldRefuseOutOfRange(String field, List<Integer> values, String text) {
    for (int value : values) {
      try (RawNsqConnection conn = broker.connect()) {
        conn.command("IDENTIFY", "{\"" + field + "\":" + value + "}")
            .expectFatal("E_BAD_BODY IDENTIFY " + text + " (" + value + ") is invalid");
      }
    }
  }

  @Test
  void shouldRefuseBeyondTheServersLimits() {
    for (String row :
        List.of(
            "heartbeat_interval 2001 heartbeat interval",
            "output_buffer_timeout 101 output buffer timeout",
            "output_buffer_timeout 49 output buffer timeout",
            "output_buffer_size 129 output buffer size",
            "msg_timeout 3001 msg timeout")) {
      String[] parts = row.split(" ", 3);
      try (RawNsqConnection conn = limited.connect()) {
        conn.command("IDENTIFY", "{\"" + parts[0] + "\":" + parts[1] + "}")
            .expectFatal("E_BAD_BODY IDENTIFY " + parts[2] + " (" + parts[1] + ") is invalid");
      }
    }
    try (RawNsqConnection conn = limited.connect()) {
      conn.send("IDENTIFY\n" + RawNsqConnection.int32(2001))
          .expectFatal("E_BAD_BODY IDENTIFY body too big 2001 > 2000");
    }
  }

  @Test
  void shouldCheckInRowOrder() {
    String[] fields = {
      "heartbeat_interval",
      "output_buffer_timeout",
      "output_buffer_size",
      "sample_rate",
      "msg_timeout"
    };
    for (int first = 0; first < fields.length; first++) {
      StringBuilder json = new StringBuilder("{\"x\":0");
      for (int i = fields.length - 1; i >= first; i--) {
        json.append(",\"").append(fields[i]).append("\":-5");
      }
      try (RawNsqConnection conn = broker.connect()) {
        conn.command("IDENTIFY", json + "}")
            .expectFatal(
                "E_BAD_BODY IDENTIFY " + fields[first].replace('_', ' ') + " (-5) is invalid");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "\"x\"",
        "1",
        "{",
        "{}x",
        "{} {}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{\"msg_timeout\":\"1000\"}",
        "{\"msg_timeout\":1000.5}",
        "{\"msg_timeout\":true}",
        "{\"heartbeat_interval\":99999999999999999999}",
        "{\"client_id\":5}",
        "{\"feature_negotiation\":1}",
        "{\"feature_negotiation\":\"true\"}"
      })
  void shouldRefuseBadJson(String json) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.command("IDENTIFY", json).expectFatal("E_BAD_BODY IDENTIFY failed to decode JSON body");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "{}",
        " {} \r\n\t",
        "{\"feature_negotiation\":false,\"msg_timeout\":1000}"
      })
  void shouldAnswerOkWithoutNegotiation(String json) {
    try (RawNsqConnection conn = broker.connect()) {
      assertEquals("OK", conn.identify(json));
    }
  }

  @Test
  void shouldAnswerSecondIdentify() {
    try (RawNsqConnection conn = broker.connect()) {
      assertEquals("OK", conn.identify("{}"));
      assertEquals('{', conn.identify("{\"feature_negotiation\":true}").charAt(0));
      conn.line("SUB second-identify ch").expectOk();
    }
  }

  @Test
  void shouldShowIdentityInStats() {
    try (RawNsqConnection conn = broker.connect();
        RawNsqConnection anonymous = broker.subscribe("identity", "anonymous")) {
      conn.identify(
          "{\"client_id\":\"me\",\"hostname\":\"here\",\"user_agent\":\"test/1\",\"sample_rate\":100}"
              .replace("100", "42"));
      conn.line("SUB identity ch").expectOk();
      JsonNode client = broker.http().channel("identity", "ch").path("clients").path(0);
      assertEquals("me", client.path("client_id").asText());
      assertEquals("here", client.path("hostname").asText());
      assertEquals("test/1", client.path("user_agent").asText());
      assertEquals(42, client.path("sample_rate").asInt());
      assertEquals(conn.localAddress(), client.path("remote_address").asText());
      assertEquals("V2", client.path("version").asText());
      assertEquals(3, client.path("state").asInt());
      JsonNode other = broker.http().channel("identity", "anonymous").path("clients").path(0);
      assertEquals("127.0.0.1", other.path("client_id").asText());
      assertEquals("127.0.0.1", other.path("hostname").asText());
      anonymous.line("CLS").expectResponse();
      assertEquals(
          4, broker.http().channel("identity", "anonymous").at("/clients/0/state").asInt());
    }
  }

  /** Half a character in a client's JSON is one that is unknown, also where it is shown. */
  @Test
  void shouldShowHalfCharactersAsUnknown() {
    String half = "\\ud800";
    try (RawNsqConnection conn = broker.connect()) {
      StringBuilder fields = new StringBuilder("\"x\":1");
      for (String field : List.of("client_id", "hostname", "user_agent", "topology_zone")) {
        fields.append(",\"" + field + "\":\"a" + half + "b\\udc00\\ud83d\\ude00\"");
      }
      assertEquals("OK", conn.identify("{" + fields + "}"));
      conn.line("SUB half c").expectOk();
      String expected = "a\ufffdb\ufffd\ud83d\ude00";
      String stats = broker.http().get("/stats?format=json&topic=half").body();
      stats = new String(stats.getBytes(ISO_8859_1), UTF_8);
      for (String field : List.of("client_id", "hostname", "user_agent")) {
        assertTrue(stats.contains("\"" + field + "\":\"" + expected + "\""), stats);
      }
    }
  }

  @Test
  void shouldTakeNullsForAbsent() {
    try (RawNsqConnection conn = broker.connect()) {
      StringBuilder fields = new StringBuilder("\"feature_negotiation\":true");
      for (String field :
          List.of(
              "client_id",
              "hostname",
              "user_agent",
              "topology_region",
              "topology_zone",
              "heartbeat_interval",
              "output_buffer_size",
              "output_buffer_timeout",
              "sample_rate",
              "msg_timeout",
              "deflate_level",
              "tls_v1",
              "deflate",
              "snappy",
              "short_id",
              "long_id")) {
        fields.append(",\"" + field + "\":null");
      }
      String reply = conn.identify("{" + fields + "}");
      assertEquals(
          negotiate(broker, ""), reply.replaceFirst("\"version\":\"[^\"]*\"", "\"version\":V"));
      conn.pub("nulls", "x");
    }
  }
}
