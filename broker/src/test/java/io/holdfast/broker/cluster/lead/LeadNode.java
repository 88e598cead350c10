package io.holdfast.broker.cluster.lead;

import io.holdfast.broker.cluster.engine.GroupFiles;
import io.holdfast.broker.cluster.engine.LocalGroup;
import io.holdfast.broker.cluster.forward.Told;
import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.cluster.state.GroupState;
import io.holdfast.broker.policy.Policies;
import io.holdfast.broker.queue.BrokerException;
import io.holdfast.broker.queue.Channel;
import io.holdfast.broker.queue.FakeConsumer;
import io.holdfast.broker.queue.QueueFixture;
import io.holdfast.broker.queue.Topic;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.SyncThread;
import io.holdfast.storage.journal.StorageOptions;
import io.holdfast.storage.raft.RaftLogOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A node that leads a group: of one, with a log on the disk, or one that the test drives. It can be
 * killed, after which all that was in memory is gone.
 */
final class LeadNode implements AutoCloseable, LeaderListener {
  static final int CLUSTER_ID = 900;
  private static final long LONG_S = 60;
  private static final int FILE_BYTES = 64 << 10;
  private static final int RECORD_BYTES = 64 << 10;

  final HandClock clock = new HandClock();
  final List<String> unreadable = Collections.synchronizedList(new ArrayList<>());
  private final Path dir;
  private final ManualGroup manual;
  private final int fileBytes;
  private final ExecutorService workers = Executors.newFixedThreadPool(2);
  private SyncThread syncThread;
  private LocalGroup local;
  private long start;

  /** New with each start. */
  private CountDownLatch serving;

  /** What channels and topics follow, from the next start on. */
  Policies policies = Policies.NONE;

  /** Who has what this disk has lost, from the next start on. */
  OtherNodes others = OtherNodes.NONE;

  LeadContext context;
  GroupState state;
  LeaderTopics leader;

  private LeadNode(Path dir, ManualGroup manual, int fileBytes) {
    this.dir = dir;
    this.fileBytes = fileBytes;
    this.manual = manual;
  }

  /** With a log on the disk, in a directory that is empty; it leads. */
  static LeadNode onDisk(Path dir) throws Exception {
    Files.createDirectories(dir.resolve("groups"));
    LeadNode node = new LeadNode(dir, null, FILE_BYTES);
    node.files().create();
    node.start();
    return node;
  }

  /** With a log that the test drives; it leads nothing yet. */
  static LeadNode driven(Path dir, ManualGroup group) throws Exception {
    return driven(dir, group, FILE_BYTES);
  }

  /** The same, with journal files of this size. */
  static LeadNode driven(Path dir, ManualGroup group, int fileBytes) throws Exception {
    LeadNode node = new LeadNode(dir, group, fileBytes);
    node.start();
    return node;
  }

  private GroupFiles files() {
    return new GroupFiles(
        dir.resolve("groups").resolve("0"),
        Disk.LOCAL,
        new RaftLogOptions(1 << 20, 256 << 10),
        LastStop.CLEAN);
  }

  void start() throws Exception {
    syncThread = new SyncThread(3_600_000);
    int recordBytes = Math.max(RECORD_BYTES, fileBytes / 4);
    StorageOptions options = new StorageOptions(fileBytes, recordBytes, false, 0, clock::wallNs);
    context = new LeadContext(clock, options);
    context.policies = policies;
    state = new GroupState(new GroupPlace(0, 1, dir), options, syncThread);
    leader =
        new LeaderTopics(new LeaderPlace(0, CLUSTER_ID, 0, ++start), state, context, workers, this);
    leader.askForLost(others);
    serving = new CountDownLatch(1);
    GroupReplica replica = new GroupReplica(0, state, leader);
    if (manual != null) {
      leader.of(manual);
      manual.member(replica);
    } else {
      local = new LocalGroup("0", "a", files(), replica);
      leader.of(local);
      local.start();
      awaitServing();
    }
  }

  void awaitServing() throws InterruptedException {
    if (!serving.await(LONG_S, TimeUnit.SECONDS)) {
      throw new AssertionError("it does not serve");
    }
  }

  /** All in memory is gone; what was forced is there. */
  void kill() {
    if (local != null) {
      local.stop();
    }
    state.close();
    syncThread.close();
  }

  /** A bit of a body in a journal flips; it must be there. */
  void damage(String body) throws Exception {
    try (Stream<Path> files = Files.walk(dir.resolve("topics"))) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        byte[] bytes = Files.readAllBytes(file);
        int at = new String(bytes, StandardCharsets.ISO_8859_1).indexOf(body);
        if (at >= 0) {
          try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(new byte[] {(byte) (bytes[at] ^ 1)}), at);
          }
          return;
        }
      }
    }
    throw new AssertionError("no " + body);
  }

  /** Killed, and started again in the same directory. */
  void restart() throws Exception {
    kill();
    start();
  }

  long snapshot() throws Exception {
    return local.snapshot().get(LONG_S, TimeUnit.SECONDS);
  }

  /** All that became of messages is in the log. */
  void flush() throws Exception {
    leader.flush().get(LONG_S, TimeUnit.SECONDS);
  }

  @Override
  public void serving(long term) {
    serving.countDown();
  }

  @Override
  public void unreadable(String topic, long ordinal, boolean allLost) {
    unreadable.add(topic + ":" + ordinal + (allLost ? " lost" : " not given"));
  }

  @Override
  public void failed(String topic, String reason) {
    throw new AssertionError(topic + ": " + reason);
  }

  Topic topic(String name) {
    return leader.topic(name);
  }

  Channel channel(String topic, String name) {
    return leader.topic(topic).existingChannel(name);
  }

  /** A client of a channel; all that it was ready for was delivered to it. */
  List<String> drain(String topic, String name) throws Exception {
    Channel channel = channel(topic, name);
    FakeConsumer client = QueueFixture.consumer(channel);
    return QueueFixture.poll(channel, client);
  }

  // ---------------------------------------------------------------- publishing

  /** Publishes messages in one command. */
  static CompletableFuture<String> publish(Topic topic, long deferMs, String... bodies)
      throws BrokerException {
    int bytes = Stream.of(bodies).mapToInt(body -> Integer.BYTES + body.length()).sum();
    ByteBuffer section = ByteBuffer.allocate(bytes);
    for (String body : bodies) {
      section.putInt(body.length()).put(body.getBytes(StandardCharsets.US_ASCII));
    }
    Told told = new Told();
    topic.putMessages(section.flip(), bodies.length, deferMs, 0, told);
    return told.answer;
  }

  /** As the other one, and answered OK when this returns. */
  void publish(String topic, String... bodies) throws Exception {
    String answer = publish(topic(topic), 0, bodies).get(LONG_S, TimeUnit.SECONDS);
    if (!answer.equals("OK")) {
      throw new AssertionError(answer);
    }
  }

  @Override
  public void close() throws IOException {
    kill();
    workers.shutdownNow();
  }
}
