package io.holdfast.broker.system;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Certificates;
import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.ConcurrentTest;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Contract §2 (upgrade), §5 (HTTPS) and §8 (tls-*): TLS as clients meet it. */
class TlsSystemTest {
  private static final String TLS = ",\"tls_v1\":true";

  @TempDir static Path directory;
  private static Certificates certificates;
  private static int openHttpsPort;
  private static int strictHttpsPort;

  /** TLS offered. */
  private static BrokerProcess open;

  /** TLS 1.3 with a certificate of the authority demanded from everyone. */
  private static BrokerProcess strict;

  /** TLS with any certificate demanded over TCP. */
  private static BrokerProcess tcpOnly;

  @BeforeAll
  static void start() throws IOException {
    certificates =
        new Certificates(directory)
            .issue("server")
            .issue("server2")
            .issue("client")
            .selfSigned("stranger");
    Files.copy(certificates.file("server.pem"), directory.resolve("live.pem"));
    Files.copy(certificates.file("server.key"), directory.resolve("live.key"));
    openHttpsPort = BrokerProcess.freePort();
    open = broker("live", openHttpsPort);
    strictHttpsPort = BrokerProcess.freePort();
    strict =
        broker(
            "server",
            strictHttpsPort,
            "--tls-client-auth-policy=require-verify",
            "--tls-root-ca-file=" + certificates.file("ca.pem"),
            "--tls-min-version=tls1.3");
    tcpOnly =
        broker(
            "server",
            BrokerProcess.freePort(),
            "--tls-client-auth-policy=require",
            "--tls-required=tcp-https");
  }

  private static BrokerProcess broker(String certificate, int httpsPort, String... more) {
    String[] flags = new String[3 + more.length];
    flags[0] = "--tls-cert=" + certificates.file(certificate + ".pem");
    flags[1] = "--tls-key=" + certificates.file(certificate + ".key");
    flags[2] = "--https-address=127.0.0.1:" + httpsPort;
    System.arraycopy(more, 0, flags, 3, more.length);
    return BrokerProcess.started(flags);
  }

  @AfterAll
  static void stop() {
    open.close();
    strict.close();
    tcpOnly.close();
  }

  private static RawNsqConnection upgraded(BrokerProcess broker, SSLContext tls) {
    RawNsqConnection conn = broker.connect();
    assertTrue(conn.upgrade(TLS, tls).contains("\"tls_v1\":true"));
    return conn;
  }

  /** The handshake fails, at once or (TLS 1.3) when the client first reads. */
  private static void assertRefused(BrokerProcess broker, SSLContext tls) {
    try (RawNsqConnection conn = broker.connect()) {
      Throwable e = assertThrows(Throwable.class, () -> conn.upgrade(TLS, tls));
      assertTrue(e instanceof UncheckedIOException || e instanceof ClosedByBroker, e::toString);
    }
  }

  @Test
  void shouldUpgrade() {
    try (RawNsqConnection publisher = upgraded(open, certificates.client(null));
        RawNsqConnection consumer = upgraded(open, certificates.client(null))) {
      consumer.line("SUB tls ch").expectOk().line("RDY 10");
      String big = "x".repeat(1 << 20);
      publisher.pub("tls", "small").pub("tls", big);
      for (Frame.Msg message : consumer.messages(2)) {
        assertTrue(message.text().equals("small") || message.text().equals(big));
        consumer.fin(message);
      }
      consumer.flushed();
      JsonNode client = open.http().channel("tls", "ch").at("/clients/0");
      assertEquals("true", client.path("tls").asText());
      assertEquals("TLS1.3", client.path("tls_version").asText());
      assertTrue(client.path("tls_cipher_suite").asText().matches("Unknown 486[567]"));
      assertEquals("", client.path("tls_negotiated_protocol").asText());
      assertEquals("true", client.path("tls_negotiated_protocol_is_mutual").asText());
    }
  }

  @Test
  void shouldServeOldClientsToo() {
    try (RawNsqConnection conn = upgraded(open, certificates.trustingClient(null, "TLSv1.2"))) {
      conn.line("SUB tls-old ch").expectOk();
      JsonNode client = open.http().channel("tls-old", "ch").at("/clients/0");
      assertEquals("TLS1.2", client.path("tls_version").asText());
      String suite = client.path("tls_cipher_suite").asText();
      assertTrue(
          suite.matches("Unknown \\d+|TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"), client::toString);
    }
    try (RawNsqConnection plain = open.connect()) {
      plain.pub("tls-plain", "still open");
    }
  }

  @Test
  void shouldServeHttps() {
    Http https = new Http(openHttpsPort, certificates.client(null).getSocketFactory());
    https.get("/ping").expect(200, "OK");
    https.post("/pub?topic=https", "y".repeat(1 << 20)).expect(200, "OK");
    assertEquals(1, https.topic("https").path("depth").asInt());
    open.http().get("/ping").expect(200, "OK");
    Http withCertificate =
        new Http(strictHttpsPort, certificates.client("client").getSocketFactory());
    withCertificate.get("/ping").expect(200, "OK");
    Http without = new Http(strictHttpsPort, certificates.client(null).getSocketFactory());
    assertThrows(UncheckedIOException.class, () -> without.get("/ping"));
  }

  @Test
  void shouldAskForCertificates() {
    try (RawNsqConnection conn = upgraded(strict, certificates.client("client"))) {
      conn.pub("verified", "x");
    }
    assertRefused(strict, certificates.client("stranger"));
    assertRefused(strict, certificates.client(null));
    for (String name : List.of("client", "stranger")) {
      try (RawNsqConnection conn = upgraded(tcpOnly, certificates.client(name))) {
        conn.pub("required", "x");
      }
    }
    assertRefused(tcpOnly, certificates.client(null));
  }

  /** On TCP and HTTPS the client is told by the alert, and the operator by a line. */
  @Test
  void shouldSayWhyACertificateWasRefused() {
    SSLContext tls = certificates.trustingClient("stranger", "TLSv1.3");
    try (RawNsqConnection conn = strict.connect()) {
      conn.identify("{\"feature_negotiation\":true" + TLS + "}");
      RuntimeException refused =
          assertThrows(RuntimeException.class, () -> conn.startTls(tls).expectOk());
      assertTrue(refused.toString().contains("certificate"), refused::toString);
    }
    Http https = new Http(strictHttpsPort, tls.getSocketFactory());
    RuntimeException refused = assertThrows(RuntimeException.class, () -> https.get("/ping"));
    assertTrue(refused.toString().contains("certificate"), refused::toString);
    for (String kind : List.of("TCP", "HTTPS")) {
      String line = "TLS: handshake of " + kind + " client 127.0.0.1:";
      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .until(
              () ->
                  strict
                      .log()
                      .lines()
                      .anyMatch(of -> of.contains(line) && of.contains(" refused: ")));
    }
  }

  @Test
  void shouldRefuseVersionsBelowTheMinimum() {
    assertRefused(strict, certificates.trustingClient("client", "TLSv1.2"));
  }

  @Test
  void shouldRefuseCommandsWithoutTls() {
    for (BrokerProcess broker : List.of(strict, tcpOnly)) {
      for (String command : List.of("PUB t", "SUB t c", "NOP", "RDY 1", "MPUB t", "NONSENSE")) {
        try (RawNsqConnection conn = broker.connect()) {
          conn.line(command)
              .expectFatal(
                  "E_INVALID cannot " + command.split(" ")[0] + " in current state (TLS required)");
        }
      }
      try (RawNsqConnection conn = broker.connect()) {
        assertEquals("OK", conn.identify("{}"));
        conn.line("SUB t c").expectFatal("E_INVALID cannot SUB in current state (TLS required)");
      }
    }
  }

  @Test
  void shouldRefusePlainHttpOnlyWithTlsRequiredTrue() {
    for (String path : List.of("/ping", "/stats?format=json", "/no/such/path")) {
      Http.Response response = strict.http().get(path);
      response.expect(
          403, "{\"message\": \"TLS_REQUIRED\", \"https_port\": " + strictHttpsPort + "}");
      assertEquals("application/json; charset=utf-8", response.header("Content-Type"));
      assertEquals("nsq; version=1.0", response.header("X-NSQ-Content-Type"));
    }
    assertEquals(403, strict.http().post("/pub?topic=t", "x").status());
    tcpOnly.http().get("/ping").expect(200, "OK");
    tcpOnly.http().post("/pub?topic=t", "x").expect(200, "OK");
    tcpOnly.http().get("/config/tls_required").expect(200, "1");
    Http https = new Http(strictHttpsPort, certificates.client("client").getSocketFactory());
    https.get("/config/tls_required").expect(200, "2");
    https.get("/config/tls_min_version").expect(200, "772");
  }

  @Test
  void shouldKeepAccountOfWhatWasRefusedForComingWithoutTls() {
    Http plain = strict.http();
    assertEquals(403, plain.post("/topic/create?topic=untold", "").status());
    assertEquals(403, plain.request("PUT", "/config/log_level", "debug").status());
    assertEquals(403, plain.get("/stats").status());
    assertEquals(403, plain.post("/pub?topic=untold", "x").status());
    Http https = new Http(strictHttpsPort, certificates.client("client").getSocketFactory());
    List<String> told = new ArrayList<>();
    for (JsonNode event : https.get("/events").json().get("events")) {
      if (event.get("result").asText().equals("refused")) {
        told.add(event.get("message").asText().replaceFirst(" remote=[^ ]+", ""));
      }
    }
    // Newest first. Looking and publishing are no changes.
    assertEquals(
        List.of(
            "user=anonymous action=config.set key=log_level result=refused",
            "user=anonymous action=topic.create topic=untold result=refused"),
        told);
  }

  @Test
  void shouldSayWhyTheHandshakeFailed() {
    try (RawNsqConnection conn = open.connect()) {
      conn.identify("{\"feature_negotiation\":true" + TLS + "}");
      Frame frame = conn.line("this is no handshake at all").frame();
      assertEquals(Frame.ERROR, frame.type());
      assertTrue(frame.text().startsWith("E_IDENTIFY_FAILED IDENTIFY failed "), frame::text);
      conn.expectClosed();
    }
  }

  @ConcurrentTest
  void shouldNotWaitForAHandshakeForever() {
    try (RawNsqConnection conn = open.connect()) {
      long start = System.nanoTime();
      conn.identify("{\"feature_negotiation\":true" + TLS + "}");
      Frame frame = conn.frame();
      assertTrue(frame.text().startsWith("E_IDENTIFY_FAILED IDENTIFY failed "), frame::text);
      conn.expectClosed();
      long ms = RawNsqConnection.millisSince(start);
      assertTrue(ms > 4_500 && ms < 9_000, ms + " ms");
    }
  }

  @ConcurrentTest
  void shouldTakeUpAChangedCertificate() throws IOException {
    Reference.holdfastOnly("nsqd reads its certificate at start only");
    SSLContext anyone = certificates.trustingClient(null, "TLSv1.3");
    assertEquals(certificates.certificate("server"), shown(anyone));
    try (RawNsqConnection before = upgraded(open, anyone)) {
      Files.copy(certificates.file("server2.key"), directory.resolve("live.key"), REPLACE_EXISTING);
      Files.copy(certificates.file("server2.pem"), directory.resolve("live.pem"), REPLACE_EXISTING);
      Awaitility.await()
          .atMost(Duration.ofSeconds(10))
          .until(() -> shown(anyone).equals(certificates.certificate("server2")));
      before.pub("tls-changed", "an old connection stays");
    }
    Http https = new Http(openHttpsPort, anyone.getSocketFactory());
    https.get("/ping").expect(200, "OK");
    Files.writeString(directory.resolve("live.pem"), "nonsense");
    Awaitility.await()
        .atMost(Duration.ofSeconds(10))
        .until(
            () -> {
              assertEquals(certificates.certificate("server2"), shown(anyone));
              return open.log().contains("keeping the certificate in use");
            });
  }

  private static Certificate shown(SSLContext tls) {
    try (RawNsqConnection conn = upgraded(open, tls)) {
      return conn.tlsSession().getPeerCertificates()[0];
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
