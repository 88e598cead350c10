package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import io.holdfast.broker.system.support.Reference;
import io.holdfast.storage.inspect.ChannelMessages;
import io.holdfast.storage.inspect.ChannelView;
import io.holdfast.storage.inspect.DataDirCheck;
import io.holdfast.storage.inspect.DataDirRepair;
import io.holdfast.storage.inspect.DataDirView;
import io.holdfast.storage.inspect.Defect;
import io.holdfast.storage.inspect.JournalScan;
import io.holdfast.storage.inspect.TopicView;
import io.holdfast.storage.values.MessageView;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What the tools see in a directory is what the broker makes of it; all kinds of damage are in
 * storage's {@code DirectoryAgreementTest}.
 */
class DirectoryAgreementSystemTest {
  private static final int MESSAGES = 50;
  private static final int RECORD_HEAD_BYTES = 44;

  @BeforeAll
  static void onlyHoldfast() {
    Reference.holdfastOnly("these are Holdfast's files");
  }

  private static String body(String topic, int number) {
    return topic + "-" + number + ":" + "x".repeat(100);
  }

  private static Set<String> bodies(String topic) {
    Set<String> bodies = new TreeSet<>();
    for (int i = 0; i < MESSAGES; i++) {
      bodies.add(body(topic, i));
    }
    return bodies;
  }

  private static void publish(BrokerProcess broker, String topic, String channel) {
    broker.http().post("/topic/create?topic=" + topic).expect(200, "");
    broker.http().post("/channel/create?topic=" + topic + "&channel=" + channel).expect(200, "");
    try (RawNsqConnection conn = broker.connect()) {
      for (int i = 0; i < MESSAGES; i++) {
        conn.pub(topic, body(topic, i));
      }
    }
  }

  private static Path journalFile(BrokerProcess broker, String topic) throws IOException {
    Path dir = broker.dataPath().resolve("topics").resolve(topic).resolve("journal");
    try (Stream<Path> files = Files.list(dir)) {
      return files.filter(f -> f.toString().endsWith(".cq4")).findFirst().orElseThrow();
    }
  }

  private static void overwrite(Path file, long at, byte[] with) throws IOException {
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "rw")) {
      bytes.seek(at);
      bytes.write(with);
    }
  }

  private static int placeOf(Path file, String text) throws IOException {
    byte[] begin = new byte[1 << 18];
    try (RandomAccessFile bytes = new RandomAccessFile(file.toFile(), "r")) {
      bytes.readFully(begin);
    }
    return new String(begin, StandardCharsets.ISO_8859_1).indexOf(text);
  }

  private static Set<String> exported(DataDirView view, String topicName, String channel)
      throws IOException {
    Set<String> bodies = new TreeSet<>();
    try (TopicView topic = view.topic(topicName);
        ChannelMessages messages = topic.channel(channel).messages(unreadable -> {})) {
      while (messages.next()) {
        bodies.add(StandardCharsets.US_ASCII.decode(messages.message().body()).toString());
      }
    }
    return bodies;
  }

  private static long depth(DataDirView view, String topicName, String channel) throws IOException {
    try (TopicView topic = view.topic(topicName)) {
      long nowMs = System.currentTimeMillis();
      return channel == null ? topic.depth() : topic.channel(channel).depth(nowMs);
    }
  }

  private static boolean isDefect(DataDirView view, String topic) throws IOException {
    List<Defect> defects = new ArrayList<>();
    new DataDirCheck(view, defects::add, count -> {}).checkTopic(topic);
    return defects.stream().anyMatch(defect -> !defect.harmless());
  }

  private static Set<String> drain(BrokerProcess broker, String topic) {
    Set<String> bodies = new TreeSet<>();
    try (RawNsqConnection conn = broker.subscribe(topic, "ch")) {
      conn.line("RDY 100");
      while (true) {
        Duration patience = Duration.ofMillis(bodies.size() < MESSAGES ? 10_000 : 100);
        Frame.Msg message = conn.pollMessage(patience);
        if (message == null) {
          conn.flushed();
          return bodies;
        }
        bodies.add(message.text());
        conn.fin(message);
      }
    }
  }

  /** Each of these once made the tools see less than the broker, and a repaired copy lose it. */
  @Test
  void shouldSeeAndMendWhatTheBrokerDelivers() throws Exception {
    List<String> topics = List.of("head", "page", "length");
    try (BrokerProcess broker = BrokerProcess.started("--mem-queue-size=10");
        BrokerProcess mended = BrokerProcess.of()) {
      for (String topic : topics) {
        publish(broker, topic, "ch");
      }
      broker.kill9();
      overwrite(journalFile(broker, "head"), 9, new byte[] {0x55});
      overwrite(journalFile(broker, "page"), 0, new byte[4096]);
      Path file = journalFile(broker, "length");
      int header = placeOf(file, "length-9:") - RECORD_HEAD_BYTES - Integer.BYTES;
      overwrite(file, header, new byte[] {(byte) 0xff, (byte) 0xff, 0x0f, 0});
      DataDirView view = DataDirView.open(broker.dataPath());
      try (DataDirRepair repair =
          new DataDirRepair(view, mended.dataPath(), Defect.Listener.NONE, count -> {})) {
        for (String topic : topics) {
          assertEquals(bodies(topic), exported(view, topic, "ch"), topic);
          assertEquals(MESSAGES, depth(view, topic, "ch"), topic);
          assertTrue(isDefect(view, topic), topic + " is damaged");
          repair.copyTopic(topic);
        }
        repair.finish();
      }
      broker.start();
      mended.start();
      for (String topic : topics) {
        assertEquals(MESSAGES, broker.http().channel(topic, "ch").path("depth").asInt(), topic);
        assertEquals(bodies(topic), drain(broker, topic), topic);
        assertEquals(bodies(topic), drain(mended, topic), topic + " in the copy");
        assertFalse(isDefect(DataDirView.open(mended.dataPath()), topic), topic);
      }
    }
  }

  /** What a kill leaves of ephemeral channels, of messages in flight and of late channels. */
  @Test
  void shouldSayOfChannelsWhatTheBrokerSays() throws Exception {
    try (BrokerProcess broker = BrokerProcess.started("--msg-timeout=60s");
        RawNsqConnection ephemeral = broker.subscribe("eph", "ch#ephemeral");
        RawNsqConnection consumer = broker.subscribe("flight", "ch")) {
      try (RawNsqConnection conn = broker.connect()) {
        for (int i = 0; i < 5; i++) {
          conn.pub("eph", body("eph", i));
          conn.pub("flight", body("flight", i));
        }
      }
      consumer.line("RDY 3");
      for (int i = 0; i < 3; i++) {
        consumer.pollMessage(Duration.ofSeconds(10));
      }
      broker.http().post("/channel/create?topic=flight&channel=late").expect(200, "");
      broker.http().awaitChannelCount("flight", "ch", "in_flight_count", 3);
      ephemeral.line("NOP");
      broker.kill9();
      DataDirView view = DataDirView.open(broker.dataPath());
      long kept = depth(view, "eph", null);
      try (TopicView topic = view.topic("flight");
          JournalScan journal = topic.scan(Defect.Listener.NONE)) {
        ChannelView channel = topic.channel("ch");
        MessageView message = new MessageView();
        List<ChannelView.State> states = new ArrayList<>();
        while (journal.nextBatch()) {
          while (journal.nextMessage(message)) {
            states.add(channel.stateOf(message, false, System.currentTimeMillis()));
            assertFalse(topic.channel("late").has(message.ordinal()), "it came later");
          }
        }
        ChannelView.State delivered = ChannelView.State.UNFINISHED;
        ChannelView.State ready = ChannelView.State.READY;
        assertEquals(List.of(delivered, delivered, delivered, ready, ready), states);
      }
      broker.start();
      assertEquals(kept, broker.http().topic("eph").path("depth").asLong());
      assertEquals(5, broker.http().channel("flight", "ch").path("depth").asInt());
      assertEquals(0, broker.http().channel("flight", "late").path("depth").asInt());
    }
  }
}
