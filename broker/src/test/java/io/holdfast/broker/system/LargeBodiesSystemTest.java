package io.holdfast.broker.system;

import static io.holdfast.broker.system.support.RawNsqConnection.batch;
import static io.holdfast.broker.system.support.RawNsqConnection.sized;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Certificates;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bodies that are read from the socket into their own buffer, among such that are not: what is
 * delivered is what was sent, however it was cut on its way.
 */
class LargeBodiesSystemTest {
  /** Around where commands become large, around reads of 64 KiB, and the largest. */
  private static final int[] SIZES = {
    1, 511, 512, 513, 4095, 4096, 16_000, 16_383, 16_384, 32_763, 32_764, 32_765, 32_768, 33_300,
    65_023, 65_535, 65_536, 65_537, 131_072, 300_000, 1_048_576
  };

  @TempDir static Path directory;
  private static SSLContext tls;
  private static BrokerProcess broker;
  private final Random random = new Random(1);

  @BeforeAll
  static void start() {
    Certificates certificates = new Certificates(directory).issue("server");
    tls = certificates.client(null);
    broker = BrokerProcess.startedWithTls(certificates);
  }

  @AfterAll
  static void stop() {
    broker.close();
  }

  private String noise(int size) {
    byte[] bytes = new byte[size];
    random.nextBytes(bytes);
    return RawNsqConnection.latin1(bytes);
  }

  /** Each size beside each other kind of neighbour: in order, backwards and shuffled. */
  private List<String> bodies() {
    List<String> bodies = new ArrayList<>();
    for (int size : SIZES) {
      bodies.add(noise(size));
    }
    for (int i = SIZES.length - 1; i >= 0; i--) {
      bodies.add(noise(SIZES[i]));
    }
    for (int i = 0; i < 2 * SIZES.length; i++) {
      bodies.add(noise(SIZES[random.nextInt(SIZES.length)]));
    }
    return bodies;
  }

  /** PUBs and, of each third pair, an MPUB. */
  private static List<String> commands(String topic, List<String> bodies) {
    List<String> commands = new ArrayList<>();
    for (int i = 0; i < bodies.size(); i++) {
      if (i % 6 == 4 && i + 1 < bodies.size()) {
        commands.add("MPUB " + topic + "\n" + sized(batch(bodies.get(i), bodies.get(i + 1))));
        i++;
      } else {
        commands.add("PUB " + topic + "\n" + sized(bodies.get(i)));
      }
    }
    return commands;
  }

  private static void assertSame(String expected, String actual, String what) {
    assertTrue(
        expected.equals(actual),
        () -> what + ": " + actual.length() + " bytes are not the " + expected.length() + " sent");
  }

  private static void assertDelivered(String topic, String channel, List<String> bodies) {
    try (RawNsqConnection consumer = broker.subscribe(topic, channel).line("RDY 7")) {
      for (int i = 0; i < bodies.size(); i++) {
        Frame.Msg message = consumer.message();
        assertSame(bodies.get(i), message.text(), channel + " " + i);
        consumer.fin(message);
      }
      consumer.flushed();
    }
    assertEquals(0, broker.http().channel(topic, channel).path("depth").asInt(-1));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ",\"tls_v1\":true",
        ",\"snappy\":true",
        ",\"deflate\":true",
        ",\"tls_v1\":true,\"snappy\":true"
      })
  void shouldDeliverToAllChannelsWhatWasSentInOnePiece(String fields) {
    String topic = "piece" + fields.replaceAll("[^a-z]", "");
    List<String> bodies = bodies();
    List<String> commands = commands(topic, bodies);
    broker.subscribe(topic, "a").close();
    broker.subscribe(topic, "b").close();
    try (RawNsqConnection publisher = broker.connect();
        RawNsqConnection consumer = broker.connect()) {
      publisher.upgrade(fields, tls);
      consumer.upgrade(fields, tls);
      publisher.send(String.join("", commands));
      commands.forEach(each -> publisher.expectOk());
      consumer.line("SUB " + topic + " a").expectOk().line("RDY 7");
      for (int i = 0; i < bodies.size(); i++) {
        Frame.Msg message = consumer.message();
        assertSame(bodies.get(i), message.text(), fields + " " + i);
        consumer.fin(message);
      }
    }
    assertDelivered(topic, "b", bodies);
  }

  @Test
  void shouldDeliverWhatCameInPiecesOfAnySize() throws InterruptedException {
    List<String> bodies = bodies();
    List<String> commands = commands("pieces", bodies);
    byte[] all = String.join("", commands).getBytes(StandardCharsets.ISO_8859_1);
    int[] pieces = {1, 3, 511, 512, 1400, 8192, 16_384, 65_536, 66_061, 500_000};
    broker.subscribe("pieces", "ch").close();
    try (RawNsqConnection publisher = broker.connect()) {
      int sent = 0;
      for (int i = 0; sent < all.length; i++) {
        int bytes = Math.min(all.length - sent, pieces[random.nextInt(pieces.length)]);
        publisher.send(Arrays.copyOfRange(all, sent, sent + bytes));
        sent += bytes;
        if (i % 8 == 0) {
          // So that it is read before the next piece is there.
          Thread.sleep(2);
        }
      }
      commands.forEach(each -> publisher.expectOk());
    }
    assertDelivered("pieces", "ch", bodies);
  }

  @Test
  void shouldDeliverAgainWhatCameBackOrWasNotTaken() {
    List<String> bodies = bodies();
    broker.subscribe("again", "ch").close();
    try (RawNsqConnection publisher = broker.connect()) {
      for (String command : commands("again", bodies)) {
        publisher.send(command).expectOk();
      }
    }
    List<String> left = new ArrayList<>();
    try (RawNsqConnection consumer = broker.subscribe("again", "ch").line("RDY 10")) {
      for (int i = 0; i < 10; i++) {
        Frame.Msg message = consumer.message();
        assertSame(bodies.get(i), message.text(), "first " + i);
        consumer.send("REQ " + message.id() + " 0\n");
        left.add(message.text());
      }
      // It goes while it is being sent more than it reads.
    }
    left.addAll(bodies.subList(10, bodies.size()));
    List<String> got = new ArrayList<>();
    try (RawNsqConnection consumer = broker.subscribe("again", "ch").line("RDY 3")) {
      got.addAll(consumer.finish(left.size()));
      consumer.flushed();
    }
    left.sort(null);
    got.sort(null);
    for (int i = 0; i < left.size(); i++) {
      assertSame(left.get(i), got.get(i), "again " + i);
    }
  }

  @Test
  void shouldKeepNoRoomForCommandsThatAreDoneOrWillNeverBe() {
    broker.subscribe("room", "ch").close();
    for (int i = 0; i < 20; i++) {
      try (RawNsqConnection publisher = broker.connect()) {
        publisher.pub("room", noise(200_000));
        publisher.send("PUB room\n" + sized(noise(1_000_000)).substring(0, 70_000 + i));
      }
    }
    try (RawNsqConnection publisher = broker.connect()) {
      publisher.send("PUB room\n" + sized(noise(1_000_000)).substring(0, 70_000)).endOutput();
      publisher.expectFatal("E_BAD_MESSAGE PUB failed to read message body");
    }
    JsonNode topic = broker.http().topic("room");
    assertEquals(20, topic.path("message_count").asInt());
  }
}
