package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;

/** What /health says while the broker starts, runs and stops, and what a stop waits for. */
class HealthSystemTest {
  private static final int TOPICS_THAT_TAKE_A_WHILE = 1500;
  private static final Duration SOON = Duration.ofSeconds(20);

  private static ConditionFactory soon() {
    return Awaitility.await().atMost(SOON).pollInterval(Duration.ofMillis(10));
  }

  /** Fails unless the check has this status; returns its reason. */
  private static String check(Http.Response answer, String name, String status) {
    for (JsonNode check : answer.json().path("checks")) {
      if (check.path("name").asText().equals(name)) {
        assertEquals(status, check.path("status").asText(), answer.body());
        return check.path("reason").asText();
      }
    }
    throw new AssertionError("no " + name + " in " + answer.body());
  }

  @Test
  void shouldSayThatItIsReadyUnderAnyNameAndToEverybody() {
    try (BrokerProcess broker = BrokerProcess.started("--http-anonymous-role=none")) {
      broker
          .http()
          .get("/health/ready")
          .expect(
              200,
              "{\"status\":\"ok\",\"checks\":["
                  + "{\"name\":\"recovery\",\"status\":\"ok\",\"reason\":\"\"},"
                  + "{\"name\":\"draining\",\"status\":\"ok\",\"reason\":\"\"},"
                  + "{\"name\":\"disk\",\"status\":\"ok\",\"reason\":\"\"}]}");
      broker.http().get("/health/live").expect(200, "{\"status\":\"ok\",\"checks\":[]}");
      String request =
          "GET /health/ready HTTP/1.1\r\nHost: lb.example\r\nConnection: close\r\n\r\n";
      assertEquals(200, broker.http().raw(request, false).status());
      assertEquals(405, broker.http().post("/health/ready").status());
      assertEquals(404, broker.http().get("/health/other").status());
    }
  }

  @Test
  void shouldWarnOfAFullDiskAndStayReady() {
    try (BrokerProcess broker = BrokerProcess.of("--disk-free-limit=" + Long.MAX_VALUE)) {
      broker.startEvenIfNotOk();
      Http.Response ready = broker.http().get("/health/ready");
      assertEquals(200, ready.status(), ready.body());
      assertTrue(check(ready, "disk", "warning").contains("disk-free-limit"), ready.body());
    }
  }

  @Test
  void shouldSayThatItStartsBeforeItsTopicsAreOpen() throws IOException {
    try (BrokerProcess broker = BrokerProcess.of()) {
      for (int i = 0; i < TOPICS_THAT_TAKE_A_WHILE; i++) {
        Files.createDirectories(broker.dataPath().resolve("topics/t" + i + "/journal"));
      }
      broker.launch(
          List.of(
              "--tcp-address=127.0.0.1:" + broker.tcpPort(),
              "--http-address=127.0.0.1:" + broker.httpPort(),
              "--data-path=" + broker.dataPath()));
      Http http = broker.http();
      Http.Response ready =
          soon().until(() -> tryGet(http, "/health/ready"), answer -> answer != null);
      assertEquals(503, ready.status(), ready.body());
      assertEquals("failed", ready.json().path("status").asText());
      assertTrue(check(ready, "recovery", "failed").startsWith("opening the data path"));
      check(ready, "draining", "ok");
      check(ready, "disk", "ok");
      http.get("/ping").expect(500, "NOK - starting");
      assertEquals(200, http.get("/health/live").status());
      http.get("/stats").expectError(503, "STARTING");
      http.post("/pub?topic=t1", "x").expectError(503, "STARTING");
      http.get("/nowhere").expectError(503, "STARTING");
      http.get("/cluster").expectError(404, "NOT_FOUND");
      assertThrows(UncheckedIOException.class, () -> RawNsqConnection.open(broker.tcpPort()));
      assertEquals(503, http.get("/health/ready").status(), "the topics took too little time");
      soon().until(() -> http.get("/health/ready").status() == 200);
      broker.connect().close();
      http.get("/ping").expect(200, "OK");
      http.post("/pub?topic=t1", "x").expect(200, "OK");
      assertEquals(0, broker.terminate());
    }
  }

  private static Http.Response tryGet(Http http, String target) {
    try {
      return http.get(target);
    } catch (UncheckedIOException e) {
      return null;
    }
  }

  @Test
  void shouldRefuseABrokenDataPathInOneLineThoughHttpIsOpen() throws IOException {
    try (BrokerProcess broker = BrokerProcess.started()) {
      broker.http().post("/pub?topic=t", "x").expect(200, "OK");
      assertEquals(0, broker.terminate());
      Path meta = broker.dataPath().resolve("meta.json");
      String before = Files.readString(meta);
      try (BrokerProcess other = BrokerProcess.started()) {
        broker.launch(
            List.of(
                "--tcp-address=127.0.0.1:" + other.tcpPort(),
                "--http-address=127.0.0.1:" + broker.httpPort(),
                "--data-path=" + broker.dataPath()));
        assertEquals(1, broker.awaitExit(SOON));
        assertTrue(broker.stderr().contains("\nholdfast: listen (127.0.0.1:" + other.tcpPort()));
        assertFalse(broker.stderr().contains("\tat "), broker::stderr);
      }
      assertEquals(before, Files.readString(meta));
      broker.start();
      assertTrue(broker.http().get("/stats").body().contains("[t "), broker::output);
    }
  }

  @Test
  void shouldWaitForMessagesInFlightWhenItStops() {
    try (BrokerProcess broker = BrokerProcess.started("--shutdown-timeout=60s");
        RawNsqConnection consumer = broker.subscribe("t", "c");
        RawNsqConnection publisher = broker.connect();
        RawNsqConnection late = broker.connect()) {
      publisher.pub("t", "1").pub("t", "2").pub("t", "3");
      consumer.line("RDY 2");
      String first = consumer.message().id();
      String second = consumer.message().id();
      broker.signal("TERM");
      Http http = broker.http();
      Http.Response ready =
          soon().until(() -> http.get("/health/ready"), answer -> answer.status() == 503);
      assertEquals("stopping, 2 in flight", check(ready, "draining", "failed"));
      assertEquals(200, http.get("/health/live").status());
      assertThrows(UncheckedIOException.class, () -> RawNsqConnection.open(broker.tcpPort()));
      publisher.command("PUB t", "4").expectFatal("E_PUB_FAILED PUB failed exiting");
      late.command("PUB new", "4").expectFatal("E_PUB_FAILED PUB failed exiting");
      http.post("/pub?topic=t", "4").expectError(503, "EXITING");
      http.post("/pub?topic=new", "4").expectError(503, "EXITING");
      http.post("/mpub?topic=t", "4\n5").expectError(503, "EXITING");
      assertEquals(200, http.get("/stats").status());
      // Room for another one, which is not used: message 3 stays where it is.
      consumer.line("TOUCH " + first).line("REQ " + first + " 0").line("RDY 5");
      soon().until(() -> http.get("/health/ready").body().contains("stopping, 1 in flight"));
      consumer.expectSilence(Duration.ofMillis(200));
      consumer.line("FIN " + second);
      assertEquals(0, broker.awaitExit(SOON));
      consumer.expectClosed();
      broker.start();
      try (RawNsqConnection again = broker.subscribe("t", "c")) {
        again.line("RDY 5");
        List<String> left = List.of(again.message().text(), again.message().text());
        assertEquals(List.of("1", "3"), left.stream().sorted().toList());
        again.expectSilence(Duration.ofMillis(200));
      }
    }
  }

  @Test
  void shouldEndAfterTheTimeoutAtTheLatestAndAtOnceAtASecondSignal() {
    try (BrokerProcess broker = BrokerProcess.started("--shutdown-timeout=1s")) {
      try (RawNsqConnection consumer = inFlight(broker)) {
        long startNs = System.nanoTime();
        assertEquals(0, broker.terminate());
        assertTrue(RawNsqConnection.millisSince(startNs) >= 1000);
        assertTrue(broker.log().contains("1 messages are still in flight"), broker::log);
        consumer.expectClosed();
      }
    }
    try (BrokerProcess broker = BrokerProcess.started("--shutdown-timeout=5m")) {
      try (RawNsqConnection consumer = inFlight(broker)) {
        broker.signal("INT");
        soon().until(() -> broker.log().contains("1 messages are in flight: waiting"));
        broker.signal("TERM");
        assertEquals(0, broker.awaitExit(SOON));
        consumer.expectClosed();
      }
    }
    try (BrokerProcess broker = BrokerProcess.started("--shutdown-timeout=0")) {
      try (RawNsqConnection consumer = inFlight(broker)) {
        assertEquals(0, broker.terminate());
        assertFalse(broker.log().contains("in flight"), broker::log);
        consumer.expectClosed();
      }
    }
  }

  private static RawNsqConnection inFlight(BrokerProcess broker) {
    RawNsqConnection consumer = broker.subscribe("t", "c").pub("t", "x").line("RDY 1");
    consumer.message();
    return consumer;
  }
}
