package io.holdfast.broker.cluster;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.broker.cluster.ClusterDirectory.State;
import io.holdfast.broker.cluster.peers.Peers;
import io.holdfast.storage.files.Disk;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.topic.ClusterFile;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes a cluster of three nodes with empty directories. Each asks the two others all the time what
 * they have on disk, and does its next step when they have what it takes:
 *
 * <pre>
 * has            others have                          next
 * nothing        nothing, all three forming           the first by name makes a uuid: formed:false
 * nothing        a uuid, all three forming            takes it: formed:false
 * formed:false   the same uuid, formed or not         makes its groups, then formed:true
 * </pre>
 *
 * <p>A node is killed before or after any of these, and goes on where its disk is: nobody votes
 * before all three have the uuid on disk, so that one that comes back with nothing cannot be one
 * that voted.
 *
 * <p>Its own thread does all this. Once formed, or in a cluster since earlier, it answers those who
 * are not yet.
 */
public final class Forming implements Closeable {
  /** Of requests. */
  public static final int TYPE = 2;

  private static final Logger LOG = LoggerFactory.getLogger(Forming.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(2);
  private static final JsonMapper JSON =
      JsonMapper.builder().disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES).build();

  /** Makes the log and the vote of a group, in a directory that is there and empty. */
  @FunctionalInterface
  public interface GroupMaker {
    /** Returns when all of it is on disk. */
    void make(Path groupDir, int group) throws IOException;
  }

  /**
   * What a node has on disk.
   *
   * @param state as of {@link State#text}
   * @param uuid null for nothing
   */
  record Said(String state, String uuid, boolean formed) {
    boolean isForming() {
      return State.FORMING.text().equals(state);
    }
  }

  private final ClusterConfig config;
  private final Membership membership;
  private final Path root;
  private final Disk disk;
  private final GroupMaker maker;
  private final Peers peers;
  private final ScheduledExecutorService thread =
      Executors.newSingleThreadScheduledExecutor(new DefaultThreadFactory("forming", true));
  private final CompletableFuture<ClusterFile> formed = new CompletableFuture<>();

  @GuardedBy("this")
  private boolean closed;

  /** What is waited for, as the log has it; the thread's. */
  private String awaited = "";

  /**
   * @param peers not started yet: gets a handler
   * @param maker called for each group before this node may take part
   */
  public Forming(
      ClusterConfig config,
      Membership membership,
      Path root,
      Disk disk,
      GroupMaker maker,
      Peers peers) {
    this.config = config;
    this.membership = membership;
    this.root = root;
    this.disk = disk;
    this.maker = maker;
    this.peers = peers;
    peers.handle(TYPE, (from, payload, reply) -> reply.send(said()));
  }

  private ByteBuf said() {
    ClusterFile file = membership.file();
    Said said =
        new Said(
            membership.state().text(),
            file == null ? null : file.uuid(),
            file != null && file.formed());
    try {
      return Unpooled.wrappedBuffer(JSON.writeValueAsBytes(said));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Begins, when this node is to form a cluster.
   *
   * @param everyMs how often the others are asked
   */
  public void start(long everyMs) {
    if (membership.state() == State.WAITING) {
      LOG.info(
          "CLUSTER: {} is in no cluster: start all three nodes with --cluster-init to make one, or"
              + " run \"holdfast-tools cluster replace {}\" to have it taken in",
          config.node(),
          config.node());
    } else if (membership.state() == State.FORMING) {
      Future<?> steps =
          thread.scheduleWithFixedDelay(this::step, 0, everyMs, TimeUnit.MILLISECONDS);
      formed.whenComplete((file, failure) -> steps.cancel(false));
    } else {
      formed.complete(membership.file());
    }
  }

  /**
   * Done when this node may take part; fails with an {@link IOException} in one line when it never
   * will.
   */
  public CompletableFuture<ClusterFile> formed() {
    return formed;
  }

  private synchronized void step() {
    if (closed || formed.isDone()) {
      return;
    }
    try {
      step(ask());
    } catch (IOException e) {
      formed.completeExceptionally(new IOException(Reasons.of(e), e));
    } catch (RuntimeException e) {
      LOG.error("CLUSTER: internal error", e);
      formed.completeExceptionally(e);
    }
  }

  /** What those say who can be reached. */
  private Map<String, Said> ask() {
    Map<String, CompletableFuture<Said>> asked = new TreeMap<>();
    for (String node : peers.others()) {
      asked.put(
          node,
          peers
              .request(node, TYPE, Unpooled.EMPTY_BUFFER, TIMEOUT)
              .handle((answer, failed) -> answer == null ? null : parse(node, answer)));
    }
    Map<String, Said> all = new TreeMap<>();
    asked.forEach(
        (node, answer) -> {
          Said said = answer.join();
          if (said != null) {
            all.put(node, said);
          }
        });
    return all;
  }

  private static Said parse(String node, ByteBuf answer) {
    try {
      return JSON.readValue(ByteBufUtil.getBytes(answer), Said.class);
    } catch (IOException e) {
      LOG.warn("CLUSTER: {} answers what cannot be read: {}", node, Reasons.of(e));
      return null;
    } finally {
      answer.release();
    }
  }

  private void step(Map<String, Said> others) throws IOException {
    ClusterFile file = membership.file();
    if (file == null) {
      takeUuid(others);
    } else if (haveUuid(others, file.uuid())) {
      take(file);
    }
  }

  private void takeUuid(Map<String, Said> others) throws IOException {
    StringBuilder waitingFor = new StringBuilder();
    String uuid = null;
    for (String node : peers.others()) {
      Said said = others.get(node);
      if (said != null && said.formed()) {
        throw new IOException(
            "--cluster-init, but "
                + node
                + " belongs to cluster "
                + said.uuid()
                + ": start without it, then run \"holdfast-tools cluster replace "
                + config.node()
                + "\"");
      }
      if (said == null || !said.isForming()) {
        waitingFor.append(waitingFor.isEmpty() ? "" : ", ").append(node);
        waitingFor.append(said == null ? "" : ", which was started without --cluster-init");
      } else if (said.uuid() != null) {
        if (uuid != null && !uuid.equals(said.uuid())) {
          throw new IOException(
              "the other two are of different clusters: " + uuid + " and " + said.uuid());
        }
        uuid = said.uuid();
      }
    }
    say(waitingFor.toString());
    if (!waitingFor.isEmpty()) {
      return;
    }
    if (uuid == null && config.node().equals(config.names().get(0))) {
      uuid = UUID.randomUUID().toString();
    }
    if (uuid != null) {
      write(
          State.FORMING,
          new ClusterFile(
              uuid, false, config.clusterId(), config.node(), 0, 0, config.groups(), List.of()));
    }
  }

  private void say(String waitingFor) {
    if (!waitingFor.equals(awaited)) {
      awaited = waitingFor;
      if (!waitingFor.isEmpty()) {
        LOG.info("CLUSTER: forming: waiting for {}", waitingFor);
      }
    }
  }

  private boolean haveUuid(Map<String, Said> others, String uuid) {
    String missing =
        String.join(
            ", ",
            peers.others().stream()
                .filter(
                    node ->
                        others.get(node) == null || !Objects.equals(others.get(node).uuid(), uuid))
                .toList());
    say(missing);
    return missing.isEmpty();
  }

  /**
   * Has this node begin anew as a member of a cluster that there is: what it had is moved aside.
   * Killed meanwhile, it goes on at its next start.
   *
   * @param file what this node is to be, not formed yet; above incarnation 0
   * @return done when it may take part; fails with an {@link IOException} in one line
   */
  CompletableFuture<ClusterFile> join(ClusterFile file) {
    return CompletableFuture.supplyAsync(
        () -> {
          synchronized (this) {
            try {
              write(State.FORMING, file);
              make(file);
            } catch (IOException e) {
              throw new UncheckedIOException(e);
            }
            LOG.info(
                "CLUSTER: {} is taken in by cluster {} as incarnation {}",
                file.node(),
                file.uuid(),
                file.incarnation());
            return membership.file();
          }
        },
        thread);
  }

  /** All three have the uuid on disk: from here on this node has something to lose. */
  private void take(ClusterFile file) throws IOException {
    make(file);
    LOG.info(
        "CLUSTER: formed {}: {}; {} groups",
        file.uuid(),
        String.join(", ", config.names()),
        file.groups());
    formed.complete(membership.file());
  }

  private void make(ClusterFile file) throws IOException {
    List<Integer> groups = IntStream.range(0, file.groups()).boxed().toList();
    if (file.incarnation() > 0) {
      ReplacedData.moveAside(disk, root, file.incarnation());
    }
    // What a start before this one may have begun; nobody has heard of it.
    DurableFiles.deleteTree(disk, root.resolve(ClusterFile.GROUPS));
    DurableFiles.createDirectory(disk, root.resolve(ClusterFile.GROUPS));
    for (int group : groups) {
      Path dir = ClusterFile.groupDir(root, group);
      DurableFiles.createDirectory(disk, dir);
      maker.make(dir, group);
    }
    write(State.MEMBER, file.withFormed(groups));
  }

  private void write(State state, ClusterFile file) throws IOException {
    membership.change(disk, state, before -> file);
  }

  /** Ends asking; answers go on as long as the connections do. */
  @Override
  public void close() {
    thread.shutdown();
    synchronized (this) {
      closed = true;
    }
  }
}
