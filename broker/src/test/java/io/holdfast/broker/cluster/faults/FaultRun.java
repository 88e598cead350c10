package io.holdfast.broker.cluster.faults;

import io.holdfast.broker.cluster.state.GroupPlace;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.FakeClock;
import io.holdfast.storage.files.DurableFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.opentest4j.TestAbortedException;

/** A cluster under load and faults, in rounds: each ends with all healed, drained and judged. */
final class FaultRun implements AutoCloseable {
  static final int GROUPS = 3;
  private static final List<String> NAMES = List.of("a", "b", "c");
  private static final List<String> CHANNELS = List.of("c", "d");
  private static final int DISK_MB = 1024;
  private static final int PIPELINED = 16;

  /** What is in flight has come again after so long. */
  private static final long UNKNOWN_NS =
      TimeUnit.MILLISECONDS.toNanos(2L * FaultConsumer.MSG_TIMEOUT_MS);

  private final Random random;
  private final Path home;

  /** Where the nodes' disks are. */
  private final Path disks;

  private final Network network;
  private final List<FaultNode> nodes = new ArrayList<>();
  private final Reigns reigns;
  private final FaultReport report = new FaultReport();
  private final Fault.Scene scene;
  private final List<String> topics = new ArrayList<>();
  private final Map<String, String> highestIds = new HashMap<>();
  private final List<FaultConsumer> consumers = new ArrayList<>();
  private final List<Thread> threads = new ArrayList<>();
  private final List<String> violations = new ArrayList<>();
  private final Map<Fault, Integer> happened = new TreeMap<>();
  private boolean hasSnapshots;
  private int rounds;

  /** Starts three brokers; {@link #form} waits for them. */
  FaultRun(long seed) throws IOException {
    random = new Random(seed);
    home = Files.createTempDirectory("holdfast-faults");
    disks = Files.createTempDirectory(placeOfDisks(), "holdfast-faults");
    network = Network.open(FaultRun::say);
    List<String> addresses = new ArrayList<>();
    for (int i = 0; i < NAMES.size(); i++) {
      int port = network.canCut() ? 4160 : BrokerProcess.freePort();
      addresses.add(NAMES.get(i) + " " + network.host(i) + ":" + port);
    }
    List<String> flags =
        List.of(
            "--cluster-nodes=" + String.join(",", addresses),
            "--cluster-id=900",
            "--cluster-tls=false",
            "--cluster-init",
            "--max-bytes-per-file=1048576",
            "--disk-free-limit=1048576");
    for (int i = 0; i < NAMES.size(); i++) {
      nodes.add(
          new FaultNode(
              NAMES.get(i),
              network.host(i),
              network.canCut() ? 4150 : BrokerProcess.freePort(),
              network.canCut() ? 4151 : BrokerProcess.freePort(),
              Files.createDirectory(home.resolve(NAMES.get(i))),
              disks.resolve(NAMES.get(i)),
              DISK_MB,
              clock(Files.createDirectory(home.resolve("clock-" + NAMES.get(i)))),
              network.launcher(i),
              flags));
    }
    nodes.forEach(FaultNode::start);
    reigns = new Reigns(nodes);
    scene = new Fault.Scene(nodes, network, reigns, random);
  }

  /** Null where there is none to be had. */
  private static FakeClock clock(Path dir) {
    try {
      return FakeClock.in(dir);
    } catch (TestAbortedException e) {
      say("left out: clocks: " + e.getMessage());
      return null;
    }
  }

  private static Path placeOfDisks() throws IOException {
    Path memory = Path.of("/dev/shm");
    boolean isLarge =
        Files.isDirectory(memory)
            && Files.getFileStore(memory).getUsableSpace() > ((long) NAMES.size() * DISK_MB) << 20;
    Path place = isLarge ? memory : Path.of(System.getProperty("java.io.tmpdir"));
    return Path.of(System.getProperty("holdfast.faults.disk", place.toString()));
  }

  static void say(String what) {
    System.out.println("faults: " + what);
  }

  // ---------------------------------------------------------------- beginning

  /** Waits for the cluster, and makes a topic in each group with its channels. */
  void form(int timeoutS) throws IOException {
    await("formed", timeoutS, () -> reigns.isServed(GROUPS));
    for (int group = 0; group < GROUPS; group++) {
      String name = "t" + group;
      for (int i = 0; GroupPlace.groupOf(name, GROUPS) != group; i++) {
        name = "t" + group + "-" + i;
      }
      topics.add(name);
      String topic = name;
      int of = group;
      await("topic " + topic, timeoutS, () -> created(topic, of));
    }
    hasSnapshots = canSnapshot();
    if (!hasSnapshots) {
      say("left out: snapshots and installs: no POST /cluster/snapshot");
    }
    if (!hasDisks()) {
      say("left out: full disks, power cuts: no disk can be mounted");
    } else if (!canCutPower()) {
      say("left out: power cuts: no python3");
    }
  }

  private boolean hasDisks() {
    return nodes.stream().allMatch(node -> node.disk() != null);
  }

  private boolean canCutPower() {
    return hasDisks() && nodes.get(0).disk().canGo();
  }

  private boolean canSnapshot() {
    try {
      Reigns.request(nodes.get(0), "POST", "/cluster/snapshot", 10_000);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private boolean created(String topic, int group) {
    FaultNode leader = reigns.leader(group);
    if (leader == null) {
      return false;
    }
    try {
      Reigns.request(leader, "POST", "/topic/create?topic=" + topic, 10_000);
      for (String channel : CHANNELS) {
        String target = "/channel/create?topic=" + topic + "&channel=" + channel;
        Reigns.request(leader, "POST", target, 10_000);
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private void await(String what, int timeoutS, BooleanSupplier until) {
    long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(timeoutS);
    while (!until.getAsBoolean()) {
      if (System.nanoTime() - endNs > 0) {
        throw new AssertionError("not " + what + " in " + timeoutS + " s:" + reigns.standing());
      }
      scene.pause(50);
    }
  }

  /** Whether a fault can happen here. */
  boolean isPossible(Fault fault) {
    return switch (fault.needs()) {
      case NOTHING -> true;
      case NETWORK -> network.canCut();
      case DISK -> hasDisks();
      case POWER -> canCutPower();
      case CLOCK -> nodes.get(0).clock() != null;
      case SNAPSHOTS -> hasSnapshots;
    };
  }

  // ---------------------------------------------------------------- a round

  /** Load, and these faults one after the other; then all that must hold. */
  void round(List<Fault> faults, int healS) {
    rounds++;
    History history = new History();
    List<FaultPublisher> publishers = publishers(history);
    // Consumers first: what comes is to be written into this round's history.
    consume(history);
    List<Thread> publishing = new ArrayList<>();
    publishers.forEach(p -> publishing.add(started(p, "publisher")));
    scene.pause(1500);
    for (Fault fault : faults) {
      History.Trouble trouble = history.begins(fault.name());
      happened.merge(fault, 1, Integer::sum);
      long beganNs = System.nanoTime();
      try {
        fault.happen(scene);
      } finally {
        scene.undo();
      }
      await("well after " + fault, healS, () -> reigns.isServed(GROUPS));
      scene.pause(500);
      trouble.toNs = System.nanoTime();
      say("%s: well after %.1f s".formatted(fault, (System.nanoTime() - beganNs) / 1e9));
      scene.pause(500 + random.nextInt(2000));
    }
    publishers.forEach(FaultPublisher::end);
    publishing.forEach(FaultRun::join);
    report.rest();
    consumers.forEach(FaultConsumer::finishAll);
    drain(history, healS);
    judge(history);
  }

  private List<FaultPublisher> publishers(History history) {
    List<FaultPublisher> made = new ArrayList<>();
    for (FaultNode node : nodes) {
      for (int window : List.of(PIPELINED, 1)) {
        String name = "r" + rounds + node.name() + window;
        Random own = new Random(random.nextLong());
        made.add(new FaultPublisher(name, node, topics, window, history, report, own));
      }
    }
    return made;
  }

  private void consume(History history) {
    if (!consumers.isEmpty()) {
      consumers.forEach(consumer -> consumer.round(history));
      return;
    }
    for (int group = 0; group < GROUPS; group++) {
      for (String channel : CHANNELS) {
        for (List<FaultNode> anywhere : java.util.Arrays.asList(null, nodes)) {
          Random own = new Random(random.nextLong());
          FaultConsumer consumer =
              new FaultConsumer(
                  topics.get(group), group, channel, anywhere, reigns, history, report, own);
          consumers.add(consumer);
          threads.add(started(consumer, "consumer"));
        }
      }
    }
  }

  private static Thread started(Runnable what, String name) {
    Thread thread = new Thread(what, name);
    thread.setDaemon(true);
    thread.start();
    return thread;
  }

  private static void join(Thread thread) {
    try {
      thread.join(TimeUnit.SECONDS.toMillis(60));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    if (thread.isAlive()) {
      throw new AssertionError(thread.getName() + " does not end");
    }
  }

  /** Until all that was answered OK has come and all that came is finished, or nothing comes. */
  private void drain(History history, int healS) {
    long lastNs = System.nanoTime();
    long delivered = -1;
    while (System.nanoTime() - lastNs < TimeUnit.SECONDS.toNanos(healS)) {
      if (isDrained(history) && reigns.isLevel(GROUPS)) {
        // What was finished last is to be in the log, and nothing more is to come.
        scene.pause(1500);
        if (isDrained(history) && reigns.isLevel(GROUPS)) {
          return;
        }
      }
      long now = report.get("delivered");
      if (now != delivered) {
        delivered = now;
        lastNs = System.nanoTime();
      }
      scene.pause(100);
    }
    say("not drained, and nothing comes:" + reigns.standing());
    report.add("VIOLATION not drained", 1);
    String key = undrained(history);
    violations.add(
        "not drained in %d s:%s%n%s"
            .formatted(
                healS,
                reigns.standing(),
                key == null ? "" : history.of(key, reigns, group(history, key))));
  }

  private int group(History history, String key) {
    Command command = history.command(key);
    return command == null ? 0 : topics.indexOf(command.topic);
  }

  private boolean isDrained(History history) {
    return undrained(history) == null;
  }

  /** The key of a command of which something is still to come; null for none. */
  private String undrained(History history) {
    for (String topic : topics) {
      for (String channel : CHANNELS) {
        Map<String, List<Delivery>> there = history.deliveries(topic, channel);
        for (Command command : history.commands()) {
          if (command.topic.equals(topic)
              && command.told == Command.Told.OK
              && !there.containsKey(command.key + "/0")) {
            return command.key;
          }
        }
        for (List<Delivery> deliveries : there.values()) {
          if (!isOver(deliveries)) {
            return deliveries.get(0).key;
          }
        }
      }
    }
    return null;
  }

  /** Whether a message does not come again if all goes well. */
  private static boolean isOver(List<Delivery> deliveries) {
    Delivery last = deliveries.get(deliveries.size() - 1);
    if (isOver(last)) {
      return true;
    }
    // One that was read late may be the last here, and have timed out before another one came.
    return System.nanoTime() - last.atNs > UNKNOWN_NS
        && deliveries.stream().anyMatch(FaultRun::isOver);
  }

  private static boolean isOver(Delivery delivery) {
    // Where nobody knows whether the FIN was read, it would have come again by then.
    return delivery.finNs > 0
        && !delivery.finFailed
        && (delivery.finReadNs > 0 || System.nanoTime() - delivery.finNs > UNKNOWN_NS);
  }

  private void judge(History history) {
    Verdict verdict = new Verdict(history, reigns, report);
    verdict.judge();
    for (int group = 0; group < GROUPS; group++) {
      String topic = topics.get(group);
      highestIds.merge(
          topic,
          verdict.judge(topic, group, CHANNELS, highestIds.getOrDefault(topic, "")),
          (a, b) -> b);
    }
    violations.addAll(verdict.violations());
    violations.addAll(reigns.violations());
    try {
      await("of one checksum", 30, this::agree);
    } catch (AssertionError e) {
      StringBuilder all = new StringBuilder("the nodes differ:");
      nodes.forEach(n -> all.append(' ').append(n.name()).append(' ').append(reigns.checksums(n)));
      violations.add(all.toString());
    }
    say("round " + rounds + ": " + happened + ", " + summary());
  }

  private boolean agree() {
    return reigns.isLevel(GROUPS) && nodes.stream().map(reigns::checksums).distinct().count() == 1;
  }

  private String summary() {
    return "OK'd "
        + report.get("OK'd")
        + " delivered "
        + report.get("delivered")
        + " terms "
        + reigns.count()
        + " violations "
        + violations.size();
  }

  // ---------------------------------------------------------------- the end

  /** What must not be; empty for nothing. */
  List<String> violations() {
    return violations;
  }

  /** All figures. */
  String report() {
    return report
        + "  terms that were served = "
        + reigns.count()
        + "\n  lost = "
        + report.get("VIOLATION lost")
        + "\n  faults = "
        + happened
        + "\n";
  }

  /** Copies the nodes' logs, and data on a disk, to where they outlive this run. */
  void keep() {
    try {
      Path to = Files.createTempDirectory("holdfast-faults-kept");
      for (FaultNode node : nodes) {
        Files.copy(node.log(), to.resolve(node.name() + ".log"));
      }
      say("logs kept in " + to + ";" + reigns.standing());
    } catch (IOException e) {
      say("logs were not kept: " + e);
    }
  }

  @Override
  public void close() throws IOException {
    consumers.forEach(FaultConsumer::end);
    threads.forEach(Thread::interrupt);
    reigns.close();
    nodes.forEach(FaultNode::close);
    network.close();
    DurableFiles.deleteTree(home);
    Files.deleteIfExists(disks);
  }
}
