package io.holdfast.broker.cluster.peers;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.holdfast.broker.system.support.Certificates;
import io.holdfast.broker.tls.TlsContexts;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Whose certificate makes whom a node, and what is said of the others. */
@Timeout(120)
final class PeersTlsTest {
  private static final int ECHO = 1;

  @TempDir static Path dir;
  private static Certificates ours;
  private static Certificates others;

  private final PeerNodes nodes = new PeerNodes("a", "b", "c");
  private final List<String> errors = new CopyOnWriteArrayList<>();
  private final Logger logger = (Logger) LoggerFactory.getLogger(Peers.class);
  private final AppenderBase<ILoggingEvent> appender =
      new AppenderBase<>() {
        @Override
        protected void append(ILoggingEvent event) {
          if (event.getLevel().levelStr.equals("ERROR")) {
            errors.add(event.getFormattedMessage().replaceAll("127.0.0.1:\\d+", "ADDRESS"));
          }
        }
      };

  @BeforeAll
  static void makeCertificates() throws IOException {
    ours = new Certificates(Files.createDirectory(dir.resolve("ours")));
    ours.issue("a").issue("b").issue("c");
    // A client that is told which authorities count shows nothing of another one.
    others = new Certificates(Files.createDirectory(dir.resolve("others")), "others");
    others.issue("b");
  }

  @BeforeEach
  void listenToTheLog() {
    appender.setContext(logger.getLoggerContext());
    appender.start();
    logger.addAppender(appender);
  }

  @AfterEach
  void everyBufferIsReleased() {
    logger.detachAppender(appender);
    nodes.close();
  }

  private static TlsContexts tls(Certificates of, String name) throws Exception {
    return PeersConfig.mutualTls(
        of.file(name + ".pem"), of.file(name + ".key"), ours.file("ca.pem"));
  }

  private Peers make(String node, TlsContexts tls) {
    Peers peers = nodes.make(node, tls, own -> own, peer -> null);
    peers.handle(ECHO, (from, payload, reply) -> reply.send(payload.retainedDuplicate()));
    return peers;
  }

  private void awaitError(String text) {
    await()
        .atMost(PeerNodes.LONG)
        .untilAsserted(() -> assertTrue(errors.contains(text), errors::toString));
  }

  @Test
  void nodesWithTheirOwnCertificatesAskEachOther() throws Exception {
    Peers a = make("a", tls(ours, "a"));
    Peers b = make("b", tls(ours, "b"));
    Peers c = make("c", tls(ours, "c"));
    nodes.start();
    nodes.awaitReachable(b, "c");
    nodes.awaitReachable(c, "a");
    nodes.awaitReachable(a, "b");
    byte[] large = new byte[200_000];
    new Random(2).nextBytes(large);
    ByteBuf answer = a.request("b", ECHO, Unpooled.wrappedBuffer(large), PeerNodes.LONG).join();
    byte[] received = new byte[answer.readableBytes()];
    answer.readBytes(received).release();
    assertTrue(Arrays.equals(large, received));
    assertEquals(List.of(), errors);
  }

  @Test
  void aCertificateOfAnotherAuthorityIsRefusedOnBothSides() throws Exception {
    Peers a = make("a", tls(ours, "a"));
    Peers b = make("b", tls(others, "b"));
    nodes.start();
    awaitError(
        "CLUSTER: connection from ADDRESS refused: certificate is not signed by cluster_tls_ca");
    awaitError("CLUSTER: b at ADDRESS refused: certificate is not signed by cluster_tls_ca");
    assertFalse(a.isReachable("b"));
    assertFalse(b.isReachable("a"));
  }

  @Test
  void anotherNodesCertificateIsRefusedOnBothSides() throws Exception {
    Peers a = make("a", tls(ours, "a"));
    Peers c = make("c", tls(ours, "b"));
    nodes.start();
    for (String reason :
        List.of("certificate is of b, not c", "it says certificate is of b, not c")) {
      // Which of the two directions is first makes no difference.
      await()
          .atMost(PeerNodes.LONG)
          .until(() -> errors.stream().anyMatch(line -> line.endsWith("refused: " + reason)));
    }
    assertFalse(a.isReachable("c"));
    assertFalse(c.isReachable("a"));
  }

  @Test
  void whoShowsNoCertificateOrSpeaksNoTlsIsRefused() throws Exception {
    Peers a = make("a", tls(ours, "a"));
    Peers b = make("b", tls(ours, "b"));
    nodes.start();
    try (SSLSocket socket =
        (SSLSocket) ours.client(null).getSocketFactory().createSocket("127.0.0.1", a.port())) {
      assertEquals(-1, readToTheEnd(socket));
    }
    awaitError("CLUSTER: connection from ADDRESS refused: it has no certificate");
    try (RawPeer plain = RawPeer.connect(a.port())) {
      plain.write("GET / HTTP/1.0\r\n\r\n".getBytes(US_ASCII));
      plain.awaitEnd();
    }
    awaitError("CLUSTER: connection from ADDRESS refused: it does not speak TLS");
    nodes.awaitReachable(a, "b");
    nodes.awaitReachable(b, "a");
  }

  @Test
  void aNodeInClearTextAndOneWithTlsDoNotMeet() throws Exception {
    Peers a = make("a", tls(ours, "a"));
    Peers b = make("b", null);
    nodes.start();
    awaitError("CLUSTER: connection from ADDRESS refused: it does not speak TLS");
    assertFalse(a.isReachable("b"));
    assertFalse(b.isReachable("a"));
  }

  private static int readToTheEnd(SSLSocket socket) {
    try {
      socket.startHandshake();
      return socket.getInputStream().read();
    } catch (IOException alert) {
      return -1;
    }
  }
}
