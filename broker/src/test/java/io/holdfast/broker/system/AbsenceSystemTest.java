package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.int32;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * A broker that is stopped and continued holds nothing against its clients. Heartbeats are in
 * {@link DeliverySystemTest}; the times of half a minute are in unit tests.
 */
class AbsenceSystemTest {
  private static final int BODY_BYTES = 5_000_000;
  private static final int PIECE_BYTES = 64 * 1024;

  /** Longer than each eighth of a body may take. */
  private static final long ABSENCE_MS = 6_500;

  private final CountDownLatch hurry = new CountDownLatch(1);

  @BeforeEach
  void onlyHoldfast() {
    Reference.holdfastOnly("nsqd bounds no memory");
  }

  private interface Sender {
    void send(byte[] piece) throws IOException;
  }

  /** Fast enough for a broker that others wait for; once it is to hurry, as fast as can be. */
  private void sendBody(Sender to) throws IOException, InterruptedException {
    byte[] piece = "x".repeat(PIECE_BYTES).getBytes(US_ASCII);
    int sent = 0;
    while (sent < BODY_BYTES) {
      if (BODY_BYTES - sent < PIECE_BYTES) {
        piece = "x".repeat(BODY_BYTES - sent).getBytes(US_ASCII);
      }
      to.send(piece);
      sent += piece.length;
      hurry.await(100, TimeUnit.MILLISECONDS);
    }
  }

  @Test
  void shouldReceiveBodiesThatWereUnderWayWhenItWasStopped() throws Exception {
    ExecutorService senders = Executors.newFixedThreadPool(3);
    // Room for two of the three.
    try (BrokerProcess broker =
            BrokerProcess.started(
                "--max-msg-size=5000000", "--max-body-size=6000000", "--max-input-bytes=11000000");
        RawNsqConnection first = broker.connect();
        RawNsqConnection second = broker.connect();
        Socket http = new Socket(InetAddress.getLoopbackAddress(), broker.httpPort())) {
      List<Future<?>> sent = new ArrayList<>();
      for (RawNsqConnection conn : List.of(first, second)) {
        sent.add(
            senders.submit(
                () -> {
                  conn.send("PUB t\n" + int32(BODY_BYTES));
                  sendBody(conn::send);
                  return null;
                }));
      }
      sent.add(
          senders.submit(
              () -> {
                String head = "POST /pub?topic=t HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
                http.getOutputStream().write((head + BODY_BYTES + "\r\n\r\n").getBytes(US_ASCII));
                sendBody(http.getOutputStream()::write);
                return null;
              }));
      Awaitility.await("one of them to wait")
          .atMost(Duration.ofSeconds(30))
          .until(() -> broker.log().contains("(max-input-bytes)"));
      broker.signal("STOP");
      hurry.countDown();
      Thread.sleep(ABSENCE_MS); // is the time that is not to count
      broker.signal("CONT");
      for (Future<?> one : sent) {
        one.get(60, TimeUnit.SECONDS);
      }
      first.expectOk();
      second.expectOk();
      http.setSoTimeout(30_000);
      Http.read(http.getInputStream(), false).expect(200, "OK");
      assertEquals(3, broker.http().topic("t").path("message_count").asInt());
    } finally {
      senders.shutdownNow();
    }
  }
}
