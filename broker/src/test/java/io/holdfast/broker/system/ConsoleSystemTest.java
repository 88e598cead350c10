package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The console's addresses as a program sees them. */
class ConsoleSystemTest {
  private static BrokerProcess broker;

  @BeforeAll
  static void start() {
    broker = BrokerProcess.started();
    broker.http().post("/topic/create?topic=t").expect(200, "");
    broker.http().post("/channel/create?topic=t&channel=c").expect(200, "");
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static Http.Response browse(BrokerProcess of, String target, String accept) {
    String head = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    return of.http().raw(head + "Accept: " + accept + "\r\n\r\n", false);
  }

  @ParameterizedTest
  @CsvSource({
    "/, 200",
    "/login, 200",
    "/console/topics, 200",
    "/console/topic?topic=t, 200",
    "/console/topic?topic=other, 404",
    "/console/topic, 404",
    "/console/channel?topic=t&channel=c, 200",
    "/console/channel?topic=t&channel=other, 404",
    "/console/channel?topic=t, 404",
    "/console/connections, 200",
    "/console/events, 200",
    "/console/configuration, 200"
  })
  void shouldServePages(String target, int status) {
    Http.Response page = browse(broker, target, "text/html,application/xhtml+xml,*/*;q=0.8");
    assertEquals(status, page.status(), page.body());
    assertEquals("text/html; charset=utf-8", page.header("Content-Type"));
    assertEquals("nosniff", page.header("X-Content-Type-Options"));
    assertEquals("no-store", page.header("Cache-Control"));
    String policy = page.header("Content-Security-Policy");
    assertTrue(policy.contains("default-src 'none'"), policy);
    assertTrue(policy.contains("frame-ancestors 'none'"), policy);
    assertTrue(policy.contains("form-action 'self'"), policy);
    assertFalse(policy.matches(".*(unsafe|\\*|http).*"), policy);
    assertFalse(page.body().contains("{{"), page.body());
    assertFalse(page.body().contains("style=") || page.body().contains("onclick"), page.body());
  }

  @Test
  void shouldServeTheOverviewToBrowsersOnly() {
    for (String accept : List.of("text/html", "TEXT/HTML;q=0.1, application/json")) {
      Http.Response page = browse(broker, "/", accept);
      assertEquals(200, page.status(), accept);
      assertEquals("Accept", page.header("Vary"));
    }
    for (String accept : List.of("*/*", "text/*", "application/json", "text/html;q=0")) {
      Http.Response none = browse(broker, "/", accept);
      none.expectError(404, "NOT_FOUND");
      assertEquals("Accept", none.header("Vary"));
    }
    broker.http().get("/").expectError(404, "NOT_FOUND");
    broker.http().post("/").expectError(404, "NOT_FOUND");
    browse(broker, "//", "text/html").expectError(404, "NOT_FOUND");
    browse(broker, "/console/nothing", "text/html").expectError(404, "NOT_FOUND");
    // Of a cluster, which this broker is in none of.
    browse(broker, "/console/cluster", "text/html").expectError(404, "NOT_FOUND");
  }

  @ParameterizedTest
  @ValueSource(strings = {"console.css", "app.js", "icon.svg", "nothing.js", "..%2Fpage.html"})
  void shouldServeItsFilesAndNothingElse(String name) {
    Http.Response file = broker.http().get("/console/static/" + name);
    if (name.contains("nothing") || name.contains("%")) {
      file.expectError(404, "NOT_FOUND");
    } else {
      assertEquals(200, file.status());
      assertEquals("nosniff", file.header("X-Content-Type-Options"));
    }
  }

  @Test
  void shouldSendWhoIsNobodyToTheLogin() {
    try (BrokerProcess closed = BrokerProcess.started("--http-anonymous-role=none")) {
      for (String target : List.of("/", "/console/topics", "/console/topic?topic=x")) {
        Http.Response answer = browse(closed, target, "text/html");
        assertEquals(303, answer.status(), target);
        assertEquals("/login", answer.header("Location"));
      }
      closed.http().get("/").expectError(404, "NOT_FOUND");
      closed.http().get("/history").expectError(401, "UNAUTHORIZED");
      closed.http().get("/configuration").expectError(401, "UNAUTHORIZED");
      assertEquals(200, closed.http().get("/login").status());
      assertEquals(200, closed.http().get("/console/static/console.css").status());
    }
  }

  @Test
  void shouldKeepRatesAndDepths() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.pub("history", "1").pub("history", "2");
      JsonNode now = broker.http().get("/history?n=0").json().path("now");
      assertEquals(broker.http().stats("").path("topics").size(), now.path("topics").asInt());
      assertTrue(now.path("connections").path("tcp").asInt() >= 1, now::toString);
      org.awaitility.Awaitility.await()
          .until(
              () -> {
                JsonNode history = broker.http().get("/history").json();
                JsonNode rows = history.path("rows");
                int last = rows.path("time_ms").size() - 1;
                return history.path("now").path("depth").asLong() == 2
                    && history.path("now").path("deepest").path(0).path("depth").asInt() == 2
                    && last >= 0
                    && rows.path("depth").get(last).asLong() == 2;
              });
    }
    broker.http().get("/history?n=x").expectError(400, "INVALID_ARG_N");
    broker.http().get("/history?n=181").expectError(400, "INVALID_ARG_N");
    assertEquals(405, broker.http().post("/history").status());
    assertEquals(405, broker.http().post("/console/topics").status());
  }

  @Test
  void shouldTellItsConfiguration() {
    for (JsonNode option : broker.http().get("/configuration").json()) {
      if (option.path("key").asText().equals("http_address")) {
        assertEquals("127.0.0.1:" + broker.httpPort(), option.path("value").asText());
        assertEquals("0.0.0.0:4151", option.path("default").asText());
        assertEquals("flag", option.path("from").asText());
        assertFalse(option.path("meaning").asText().isEmpty());
        return;
      }
    }
    throw new AssertionError("no http_address");
  }
}
