package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.net.httpserver.HttpServer;
import io.holdfast.broker.lookup.FakeLookupd;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ConcurrentTest;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Contract §6: what an nsqlookupd sees of the broker. */
class LookupSystemTest {
  private static void await(String what, java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofSeconds(15))
        .pollDelay(Duration.ZERO)
        .pollInterval(Duration.ofMillis(20))
        .until(condition);
  }

  private static void awaitLines(FakeLookupd lookupd, int from, String... lines) {
    try {
      await("lines", () -> since(lookupd, from).containsAll(List.of(lines)));
    } catch (org.awaitility.core.ConditionTimeoutException e) {
      throw new AssertionError("got " + since(lookupd, from), e);
    }
  }

  private static List<String> since(FakeLookupd lookupd, int from) {
    List<String> all = new ArrayList<>(lookupd.received);
    return all.subList(Math.min(from, all.size()), all.size());
  }

  @Test
  void shouldRegisterWhatExistsAndTakeItBack() throws IOException {
    try (FakeLookupd lookupd = new FakeLookupd();
        BrokerProcess broker =
            BrokerProcess.started(
                "--lookupd-tcp-address=" + lookupd.address(),
                "--broadcast-address=broker.example",
                "--broadcast-tcp-port=1111",
                "--broadcast-http-port=2222",
                "--topology-region=r",
                "--topology-zone=z")) {
      Http http = broker.http();
      await("IDENTIFY", () -> lookupd.received.size() >= 2);
      assertEquals("CONNECT  V1", lookupd.received.get(0));
      String identify = lookupd.received.get(1);
      assertTrue(
          identify.startsWith("IDENTIFY {\"broadcast_address\":\"broker.example\",\"hostname\":\""),
          identify);
      assertTrue(
          identify.matches(
              ".*\",\"http_port\":2222,\"tcp_port\":1111,\"topology_region\":\"r\",\"topology_zone\":\"z\","
                  + "\"version\":\"[^\"]+\"}"),
          identify);
      try (RawNsqConnection conn = broker.connect()) {
        conn.pub("one", "x");
        awaitLines(lookupd, 2, "REGISTER one");
        conn.line("SUB one ch").expectOk();
        awaitLines(lookupd, 2, "REGISTER one ch");
      }
      http.post("/topic/create?topic=two");
      http.post("/channel/create?topic=two&channel=c");
      http.post("/channel/create?topic=two&channel=e%23ephemeral");
      awaitLines(lookupd, 2, "REGISTER two", "REGISTER two c", "REGISTER two e#ephemeral");
      http.post("/channel/delete?topic=two&channel=c");
      awaitLines(lookupd, 2, "UNREGISTER two c");
      int before = lookupd.received.size();

      // A lost connection is noticed at the next event; then everything is said again.
      lookupd.dropConnections();
      http.post("/topic/create?topic=three");
      awaitLines(
          lookupd,
          before,
          "CONNECT  V1",
          identify,
          "REGISTER one ch",
          "REGISTER two e#ephemeral",
          "REGISTER three");
      http.post("/topic/delete?topic=two");
      awaitLines(lookupd, before, "UNREGISTER two");

      // What is durable is registered again after a crash.
      before = lookupd.received.size();
      broker.crash();
      broker.start();
      awaitLines(lookupd, before, "CONNECT  V1", identify, "REGISTER one ch", "REGISTER three");
      assertTrue(
          since(lookupd, before).stream().noneMatch(l -> l.startsWith("REGISTER two")),
          () -> lookupd.received.toString());
    }
  }

  @Test
  void shouldChangePeersAtRunTime() throws IOException {
    try (FakeLookupd first = new FakeLookupd();
        FakeLookupd second = new FakeLookupd();
        BrokerProcess broker =
            BrokerProcess.started(
                "--lookupd-tcp-address=" + first.address(), "--broadcast-address=127.0.0.1")) {
      Http http = broker.http();
      http.post("/topic/create?topic=moved");
      awaitLines(first, 0, "REGISTER moved");
      http.get("/config/nsqlookupd_tcp_addresses").expect(200, "[\"" + first.address() + "\"]");
      String both = "[\"" + first.address() + "\",\"" + second.address() + "\"]";
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", both).expect(200, both);
      awaitLines(second, 0, "CONNECT  V1", "REGISTER moved");
      String one = "[\"" + second.address() + "\"]";
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", one).expect(200, one);
      awaitLines(first, 0, "DISCONNECT");
      int known = first.received.size();
      http.post("/topic/create?topic=later");
      awaitLines(second, 0, "REGISTER later");
      assertEquals(known, first.received.size());
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", "not json")
          .expectError(400, "INVALID_VALUE");
      http.request("PUT", "/config/nsqlookupd_tcp_addresses", "[]").expect(200, "[]");
      awaitLines(second, 0, "DISCONNECT");
    }
  }

  @Test
  void shouldCreateTheChannelsAPeerKnowsOf() throws IOException {
    Set<String> asked = new HashSet<>();
    HttpServer api =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    api.createContext(
        "/channels",
        exchange -> {
          synchronized (asked) {
            asked.add(
                exchange.getRequestURI() + " " + exchange.getRequestHeaders().getFirst("Accept"));
          }
          byte[] answer =
              "{\"channels\":[\"pre\",\"also\",\"tmp#ephemeral\"]}"
                  .getBytes(StandardCharsets.US_ASCII);
          exchange.sendResponseHeaders(200, answer.length);
          exchange.getResponseBody().write(answer);
          exchange.close();
        });
    api.start();
    try (FakeLookupd lookupd = new FakeLookupd()) {
      lookupd.replyToIdentify(FakeLookupd.INFO.formatted(api.getAddress().getPort()));
      try (BrokerProcess broker =
              BrokerProcess.started(
                  "--lookupd-tcp-address=" + lookupd.address(), "--broadcast-address=127.0.0.1");
          RawNsqConnection conn = broker.connect()) {
        broker.http().post("/topic/create?topic=awaited");
        awaitLines(lookupd, 0, "REGISTER awaited");
        conn.pub("fresh", "first");
        assertEquals(1, broker.http().channel("fresh", "pre").path("depth").asInt());
        assertEquals(1, broker.http().channel("fresh", "also").path("depth").asInt());
        assertTrue(broker.http().channel("fresh", "tmp#ephemeral").isMissingNode());
        synchronized (asked) {
          assertTrue(
              asked.contains("/channels?topic=fresh application/vnd.nsq; version=1.0"),
              asked::toString);
        }
      }
    } finally {
      api.stop(0);
    }
  }

  @Test
  void shouldNotBeSlowedByADeadPeer() throws IOException {
    try (FakeLookupd silent = new FakeLookupd();
        FakeLookupd living = new FakeLookupd()) {
      silent.silence();
      try (BrokerProcess broker =
              BrokerProcess.started(
                  "--lookupd-tcp-address=" + silent.address(),
                  "--lookupd-tcp-address=127.0.0.1:" + BrokerProcess.freePort(),
                  "--lookupd-tcp-address=" + living.address(),
                  "--broadcast-address=127.0.0.1");
          RawNsqConnection conn = broker.connect()) {
        // The living one says that its HTTP port is 4161, where nobody listens.
        conn.pub("warm", "up");
        long start = System.nanoTime();
        for (int i = 0; i < 200; i++) {
          conn.pub("quick", "x");
        }
        for (int i = 0; i < 10; i++) {
          conn.pub("quick" + i, "x");
        }
        long ms = RawNsqConnection.millisSince(start);
        assertTrue(ms < 2000, ms + " ms");
        awaitLines(living, 0, "REGISTER quick", "REGISTER quick9");
      }
    }
  }

  @ConcurrentTest
  void shouldPing() throws IOException {
    try (FakeLookupd lookupd = new FakeLookupd();
        BrokerProcess broker =
            BrokerProcess.started(
                "--lookupd-tcp-address=" + lookupd.address(), "--broadcast-address=127.0.0.1")) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(20))
          .until(() -> lookupd.received.contains("PING"));
      assertEquals(1, lookupd.received.stream().filter(l -> l.startsWith("CONNECT")).count());
      broker.http().get("/ping").expect(200, "OK");
    }
  }
}
