package io.holdfast.broker.cluster.copies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.holdfast.broker.cluster.lead.Copies;
import io.holdfast.broker.cluster.peers.Handshake;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.broker.cluster.peers.PeersConfig;
import io.holdfast.broker.cluster.state.CarryEntry;
import io.holdfast.broker.cluster.state.Entries;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.cluster.state.Origin;
import io.holdfast.broker.net.HostPort;
import io.holdfast.broker.net.Transport;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.values.MessageRef;
import io.holdfast.storage.values.MessageView;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Messages from other nodes' disks: real connections and journals, and a log that all have. */
class PeerCopiesTest {
  private static final List<String> NAMES = List.of("a", "b", "c");
  private static final long NOW = 1_800_000_000_000_000_000L;
  private static final Duration LONG = Duration.ofSeconds(60);

  /** Patient, for a busy machine. */
  private static final PeersConfig.Times TIMES =
      new PeersConfig.Times(
          Duration.ofSeconds(10),
          Duration.ofSeconds(20),
          Duration.ofMillis(50),
          Duration.ofMillis(200),
          Duration.ofSeconds(60));

  @TempDir Path dir;
  private final Transport transport = new Transport(2);
  private final ExecutorService workers = Executors.newFixedThreadPool(2);
  private final Map<String, Peers> peers = new TreeMap<>();
  private final Map<String, GroupState> states = new TreeMap<>();
  private final Map<String, PeerCopies> copies = new TreeMap<>();
  private long index;
  private long topic;

  @BeforeEach
  void start() throws IOException {
    for (String name : NAMES) {
      StorageOptions options = new StorageOptions(1 << 20, 1 << 20, false, 0);
      Path root = Files.createDirectories(dir.resolve(name));
      states.put(
          name,
          new GroupState(new GroupPlace(0, 1, root), options, SyncThread.stepped(Disk.LOCAL)));
      Map<String, HostPort> addresses = new TreeMap<>();
      NAMES.forEach(other -> addresses.put(other, null));
      addresses.put(name, new HostPort("127.0.0.1", 0));
      PeersConfig config = new PeersConfig(name, addresses, 6 << 20, 8 << 20, null, TIMES);
      Handshake own =
          new Handshake(name, 0, null, 0, NAMES, 900, 1, 1, 1, "member", true, 0, Map.of(name, 0));
      Peers made = new Peers(config, () -> own, other -> null, transport);
      peers.put(name, made);
      copies.put(
          name, new PeerCopies(made, group -> group == 0 ? states.get(name) : null, workers));
      made.start();
    }
    for (String name : List.of("b", "c")) {
      peers.get("a").moved(name, new HostPort("127.0.0.1", peers.get(name).port()));
      Awaitility.await(name).atMost(LONG).until(() -> peers.get("a").isReachable(name));
    }
    apply(Entries.createTopic("t", NOW), NAMES);
    topic = states.get("a").topic("t").number();
  }

  @AfterEach
  void close() {
    peers.values().forEach(Peers::close);
    workers.shutdownNow();
    states.values().forEach(GroupState::close);
    transport.close();
  }

  private void apply(ByteBuffer entry, List<String> at) throws IOException {
    index++;
    for (String name : at) {
      states.get(name).apply(index, 1, entry.duplicate());
    }
  }

  /** One command. */
  private void publish(List<String> at, long deferMs, String... bodies) throws IOException {
    ByteBuffer section = ByteBuffer.allocate(1 << 10);
    for (String body : bodies) {
      section.putInt(body.length()).put(body.getBytes(StandardCharsets.US_ASCII));
    }
    Origin origin = new Origin(0, 1, index);
    apply(Entries.publish(origin, NOW + index, topic, deferMs, bodies.length, section.flip()), at);
  }

  private void damage(String body, String... at) throws IOException {
    for (String name : at) {
      boolean isDone = false;
      try (Stream<Path> files = Files.walk(dir.resolve(name).resolve("topics"))) {
        for (Path file : files.filter(path -> path.toString().endsWith(".cq4")).toList()) {
          String all = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
          int offset = all.indexOf(body);
          if (offset >= 0) {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
              channel.write(ByteBuffer.wrap(new byte[] {(byte) (all.charAt(offset) ^ 1)}), offset);
            }
            isDone = true;
          }
        }
      }
      assertTrue(isDone, body + " at " + name);
    }
  }

  private Copies ask(int group, long ofTopic, long ordinal, int max) throws Exception {
    CompletableFuture<Copies> told = new CompletableFuture<>();
    assertTrue(copies.get("a").ofGroup(group).read(ofTopic, ordinal, max, told::complete));
    return told.get(LONG.toSeconds(), TimeUnit.SECONDS);
  }

  private List<String> bodies(long ordinal, int max) throws Exception {
    return ask(0, topic, ordinal, max).messages().stream()
        .map(copy -> new String(copy.body(), StandardCharsets.US_ASCII))
        .toList();
  }

  /** A busy node may not answer in time, and is asked again. */
  private static void await(Object expected, Callable<?> asked) {
    Awaitility.await(expected.toString()).atMost(LONG).until(() -> expected.equals(asked.call()));
  }

  @Test
  void shouldGiveTheCopyOfWhatWasCarriedForward() throws Exception {
    publish(NAMES, 0, "m-0", "m-1");
    apply(Entries.createChannel(topic, "c", 0, NOW), NAMES);
    damage("m-0", "a", "b", "c");
    CarryEntry entry = new CarryEntry(topic);
    MessageView view = new MessageView();
    byte[] body = "m-1".getBytes(StandardCharsets.US_ASCII);
    view.set(1, NOW + 7, 60, MessageRef.NOWHERE, ByteBuffer.wrap(body), 0, body.length, 0);
    entry.add(view);
    apply(entry.toEntry(NOW), NAMES);
    await(List.of(), () -> bodies(0, 1));
    await(List.of("m-1"), () -> bodies(1, 5));
    assertEquals(NOW + 7, ask(0, topic, 1, 1).messages().get(0).timestampNs());
    assertEquals(60, ask(0, topic, 1, 1).messages().get(0).deferMs());
  }

  @Test
  void shouldGetFromOthersWhatOneHasLost() throws Exception {
    publish(NAMES, 0, "m-0");
    publish(NAMES, 0, "m-1", "m-2", "m-3");
    publish(NAMES, 5000, "m-4");
    publish(NAMES, 0, "m-5");
    damage("m-0", "a");
    await(List.of("m-0", "m-1", "m-2"), () -> bodies(0, 3));
    // The first that is asked has lost it, too.
    damage("m-2", "a", "b");
    await(List.of("m-2", "m-3", "m-4", "m-5"), () -> bodies(2, 64));
    await(List.of("m-0"), () -> bodies(0, 64));
    damage("m-4", "a", "c");
    Awaitility.await("m-4")
        .atMost(LONG)
        .untilAsserted(
            () -> {
              List<Copies.Copy> deferred = ask(0, topic, 4, 1).messages();
              assertEquals(1, deferred.size());
              assertEquals(5000, deferred.get(0).deferMs());
              assertEquals(NOW + 3, deferred.get(0).timestampNs());
            });
  }

  @Test
  void shouldSayWhetherAnybodyMayHaveIt() throws Exception {
    publish(NAMES, 0, "m-0");
    damage("m-0", "a", "b", "c");
    await(Copies.ALL_LOST, () -> ask(0, topic, 0, 64));
    // One has not come so far.
    publish(List.of("a", "b"), 0, "m-1");
    damage("m-1", "b");
    assertEquals(Copies.UNKNOWN, ask(0, topic, 1, 1));
    assertEquals(Copies.UNKNOWN, ask(0, topic, 2, 1));
    assertEquals(Copies.UNKNOWN, ask(0, topic + 1, 0, 1));
    // No such group; and nobody there.
    assertEquals(Copies.UNKNOWN, ask(-1, topic, 0, 1));
    peers.get("b").close();
    peers.get("c").close();
    assertEquals(Copies.UNKNOWN, ask(0, topic, 0, 1));
  }

  @Test
  void shouldTakeNothingThatIsNoRequestOrAnswer() {
    assertThrows(
        IllegalArgumentException.class, () -> CopyRequest.read(Unpooled.buffer().writeInt(1)));
    assertEquals(CopyAnswer.UNKNOWN, CopyAnswer.read(Unpooled.buffer()));
    assertEquals(CopyAnswer.UNKNOWN, CopyAnswer.read(Unpooled.buffer().writeByte(2)));
    assertEquals(
        CopyAnswer.UNKNOWN,
        CopyAnswer.read(
            Unpooled.buffer().writeByte(2).writeLong(1).writeLong(0).writeInt(-1).writeInt(0)));
  }
}
