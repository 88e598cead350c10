package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a web page in somebody's browser, and who is not on this machine, may not do over HTTP. */
class AccessSystemTest {
  private static final String FORBIDDEN = "{\"message\":\"FORBIDDEN\"}";
  private static BrokerProcess broker;

  @BeforeAll
  static void start() {
    broker =
        BrokerProcess.of(
                "--broadcast-address=queue1.example.com", "--http-allowed-hosts=q,*.internal")
            .withJvm("-Dsome.password=topsecret-property")
            .under("env", "SOME_TOKEN=topsecret-environment")
            .start();
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private static Http.Response ask(String method, String target, String host, String headers) {
    return broker
        .http()
        .raw(
            method
                + " "
                + target
                + " HTTP/1.1\r\nHost: "
                + host
                + "\r\nConnection: close\r\n"
                + headers
                + "Content-Length: 0\r\n\r\n",
            method.equals("HEAD"));
  }

  @Test
  void shouldKnowItsNames() {
    String port = ":" + broker.httpPort();
    for (String host :
        List.of(
            "127.0.0.1" + port,
            "[::1]" + port,
            "localhost" + port,
            "queue1.example.com",
            "q",
            "a.b.internal" + port)) {
      assertEquals(200, ask("GET", "/stats", host, "").status(), host);
    }
    for (String target :
        List.of("/stats", "/info", "/config/log_level", "/metrics", "/debug/pprof/", "/nowhere")) {
      ask("GET", target, "rebound.example.org" + port, "").expect(403, FORBIDDEN);
    }
    ask("POST", "/topic/create?topic=rebound", "rebound.example.org", "").expect(403, FORBIDDEN);
    ask("GET", "http://rebound.example.org/info", "localhost", "").expect(403, FORBIDDEN);
    assertTrue(broker.http().topic("rebound").isMissingNode());
    ask("GET", "/ping", "rebound.example.org", "").expect(200, "OK");
    assertTrue(broker.stderr().contains("Host rebound.example.org"), broker::output);
  }

  @Test
  void shouldRefuseRequestsOfOtherSites() {
    String host = "127.0.0.1:" + broker.httpPort();
    broker.http().post("/topic/create?topic=kept").expect(200, "");
    for (String header :
        List.of(
            "Origin: https://evil.example.org\r\n",
            "Origin: null\r\n",
            "Origin: https://" + host + "\r\n",
            "Origin: http://127.0.0.1\r\n",
            "Sec-Fetch-Site: cross-site\r\n",
            "Sec-Fetch-Site: same-site\r\n",
            "Origin: http://" + host + "\r\nSec-Fetch-Site: cross-site\r\n",
            "Origin: http://" + host + "\r\nOrigin: http://evil.example.org\r\n")) {
      ask("POST", "/topic/delete?topic=kept", host, header).expect(403, FORBIDDEN);
      ask("POST", "/pub?topic=kept", host, header).expect(403, FORBIDDEN);
      ask("PUT", "/config/log_level", host, header).expect(403, FORBIDDEN);
      assertEquals(200, ask("GET", "/stats", host, header).status());
    }
    assertFalse(broker.http().topic("kept").isMissingNode());
    ask(
            "POST",
            "/topic/delete?topic=kept",
            host,
            "Origin: http://" + host + "\r\nSec-Fetch-Site: same-origin\r\n")
        .expect(200, "");
  }

  @Test
  void shouldKeepRefusedChangesInTheAuditTrail() {
    String host = "127.0.0.1:" + broker.httpPort();
    String foreign = "Origin: https://evil.example.org\r\n";
    ask("GET", "/stats", "rebound.example.org", "").expect(403, FORBIDDEN);
    ask("POST", "/pub?topic=wanted", host, foreign).expect(403, FORBIDDEN);
    ask("POST", "/no/such", host, foreign).expect(403, FORBIDDEN);
    ask("POST", "/topic/delete?topic=wanted", host, foreign).expect(403, FORBIDDEN);
    ask("POST", "/channel/create?topic=wanted&channel=c", "rebound.example.org", "")
        .expect(403, FORBIDDEN);
    ask("PUT", "/config/log_level", host, foreign).expect(403, FORBIDDEN);
    ask("POST", "/login", host, foreign).expect(403, FORBIDDEN);
    List<String> refused = new ArrayList<>();
    for (JsonNode event : broker.http().get("/events?n=4").json().path("events")) {
      String what = event.path("action").asText() + " " + event.path("topic").asText();
      refused.add(what + " " + event.path("user").asText() + " " + event.path("result").asText());
    }
    assertEquals(
        List.of(
            "login  anonymous refused",
            "config.set  anonymous refused",
            "channel.create wanted anonymous refused",
            "topic.delete wanted anonymous refused"),
        refused);
  }

  @Test
  void shouldRefuseTwoHosts() {
    ask("GET", "/ping", "localhost", "Host: localhost\r\n")
        .expect(400, "400 Bad Request: too many Host headers");
  }

  @Test
  void shouldKeepDebugForThisMachine() {
    for (String target : List.of("/debug/pprof/cmdline", "/DEBUG/pprof/heap")) {
      ask("GET", target, "localhost", "X-Forwarded-For: 192.0.2.1\r\n").expect(403, FORBIDDEN);
    }
    String commandLine = broker.http().get("/debug/pprof/cmdline").body();
    assertTrue(commandLine.contains("-Dsome.password=***\0"), commandLine);
    assertFalse(commandLine.contains("topsecret"), commandLine);
  }

  @Test
  void shouldKeepSecretsOutOfTheProfile() throws IOException {
    Process other = new ProcessBuilder("sh", "-c", "read line", "topsecret-argument").start();
    try {
      Http.Response profile = broker.http().get("/debug/pprof/profile?seconds=1");
      assertEquals(200, profile.status());
      assertTrue(profile.body().startsWith("FLR"));
      assertFalse(profile.body().contains("topsecret"));
    } finally {
      other.destroy();
    }
  }

  /** nsqd's server has it so: the body would be stored as it came. */
  @Test
  void shouldRefuseOtherTransferEncodings() {
    for (String coding : List.of("gzip", "gzip, chunked", "identity")) {
      String head = "POST /pub?topic=coded HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: ";
      int status = broker.http().raw(head + coding + "\r\n\r\n0\r\n\r\n", false).status();
      assertTrue(status == 501 || status == 400, coding + " " + status);
    }
    assertTrue(broker.http().topic("coded").isMissingNode());
  }
}
