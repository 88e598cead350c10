package io.holdfast.broker.cluster.faults;

import io.holdfast.broker.system.support.Frame;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Consumes one channel, at its leader or at any node that lets it. */
final class FaultConsumer implements Runnable {
  private static final AtomicLong CONNECTIONS = new AtomicLong();
  static final int MSG_TIMEOUT_MS = 3000;
  private static final int BARRIER_MS = 100;
  private static final int SILENT_MS = 4000;

  private final String topic;
  private final int group;
  private final String channel;

  /** null for wherever it is led. */
  private final List<FaultNode> anywhere;

  private final Reigns reigns;
  private final FaultReport report;
  private final Random random;
  private volatile History history;
  private volatile boolean isOver;
  private volatile boolean finishesAll;

  // Of the present connection.
  private long connection;
  private FaultNode node;
  private final List<Delivery> finished = new ArrayList<>();
  private final Map<String, List<Delivery>> barriers = new LinkedHashMap<>();
  private final Map<String, Delivery> inFlight = new HashMap<>();
  private long barrierCount;
  private long barrierNs;

  /**
   * @param anywhere nodes that it tries first; null for the leader's only
   */
  FaultConsumer(
      String topic,
      int group,
      String channel,
      List<FaultNode> anywhere,
      Reigns reigns,
      History history,
      FaultReport report,
      Random random) {
    this.topic = topic;
    this.group = group;
    this.channel = channel;
    this.anywhere = anywhere;
    this.reigns = reigns;
    this.history = history;
    this.report = report;
    this.random = random;
  }

  void end() {
    isOver = true;
  }

  /** From now on all that comes belongs to another round. */
  void round(History next) {
    history = next;
    finishesAll = false;
  }

  /** Finishes all that comes from now on. */
  void finishAll() {
    finishesAll = true;
  }

  @Override
  public void run() {
    while (!isOver) {
      node = choose();
      if (node == null) {
        pause();
        continue;
      }
      connection = CONNECTIONS.incrementAndGet();
      try (Wire wire = new Wire(node)) {
        consume(wire);
      } catch (IOException e) {
        report.add("consumers cut off, or connects in vain", 1);
      }
      long nowNs = System.nanoTime();
      inFlight.values().forEach(delivery -> delivery.endNs = nowNs);
      inFlight.clear();
      finished.clear();
      barriers.clear();
      pause();
    }
  }

  private FaultNode choose() {
    if (anywhere != null && random.nextInt(3) > 0) {
      return anywhere.get(random.nextInt(anywhere.size()));
    }
    return reigns.leader(group);
  }

  private static void pause() {
    try {
      Thread.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void consume(Wire wire) throws IOException {
    wire.command(
        "IDENTIFY",
        Wire.bytes("{\"heartbeat_interval\":1000,\"msg_timeout\":" + MSG_TIMEOUT_MS + "}"));
    wire.line("SUB " + topic + " " + channel);
    wire.line("RDY " + (1 + random.nextInt(40)));
    wire.flush();
    long heardNs = System.nanoTime();
    while (!isOver) {
      Frame frame = wire.poll(BARRIER_MS);
      long nowNs = System.nanoTime();
      if (frame == null) {
        if (nowNs - heardNs > SILENT_MS * 1_000_000L) {
          report.add("connections of consumers that fell silent", 1);
          return;
        }
      } else {
        heardNs = nowNs;
        if (!handle(wire, frame)) {
          return;
        }
      }
      if (!finished.isEmpty() && nowNs - barrierNs > BARRIER_MS * 1_000_000L) {
        barrier(wire);
      }
    }
  }

  /** Its answer shows that all before was read. */
  private void barrier(Wire wire) throws IOException {
    String id = String.format("%016x", ++barrierCount);
    barriers.put(id, List.copyOf(finished));
    finished.clear();
    barrierNs = System.nanoTime();
    wire.line("TOUCH " + id);
    wire.flush();
  }

  /** Whether the connection goes on. */
  private boolean handle(Wire wire, Frame frame) throws IOException {
    if (frame.type() == Frame.MESSAGE) {
      return message(wire, frame.message());
    }
    String text = frame.text();
    if (frame.type() == Frame.RESPONSE) {
      return true;
    }
    String[] words = text.split(" ");
    if (text.startsWith("E_TOUCH_FAILED ") && words.length > 2) {
      List<Delivery> read = barriers.remove(words[2]);
      if (read != null) {
        long nowNs = System.nanoTime();
        read.forEach(delivery -> delivery.finReadNs = nowNs);
      }
      return true;
    }
    if (text.startsWith("E_FIN_FAILED ") || text.startsWith("E_REQ_FAILED ")) {
      report.add("answer: " + words[0] + " " + text.replaceAll(".*failed ", ""), 1);
      if (words[0].equals("E_FIN_FAILED")) {
        // A refused REQ says nothing of a FIN of the same message, which came twice.
        failed(words[2]);
      }
      return true;
    }
    report.add("answer: " + text.replaceAll("topic \\S+", "topic T").replaceAll(" by .*", ""), 1);
    return false;
  }

  /**
   * One answer is of one FIN. A message can have come twice on a connection, from two leaders, and
   * then one of its FINs may have been taken: which one does not matter.
   */
  private void failed(String id) {
    Stream.concat(barriers.values().stream().flatMap(List::stream), finished.stream())
        .filter(delivery -> delivery.id.equals(id) && !delivery.finFailed)
        .findFirst()
        .ifPresent(delivery -> delivery.finFailed = true);
  }

  private boolean message(Wire wire, Frame.Msg message) throws IOException {
    String[] words = Command.read(message.text());
    History now = history;
    if (words == null) {
      now.strange("a body that nobody sent: " + message.text());
      return false;
    }
    Delivery delivery =
        new Delivery(
            channel,
            words[0],
            Integer.parseInt(words[1]),
            message.id(),
            message.attempts(),
            connection,
            node.name());
    now.delivered(topic, delivery);
    report.add("delivered", 1);
    inFlight.put(message.id(), delivery);
    int kind = finishesAll ? 0 : random.nextInt(200);
    if (kind < 180) {
      delivery.finNs = System.nanoTime();
      finished.add(delivery);
      inFlight.remove(message.id());
      wire.line("FIN " + message.id());
    } else if (kind < 196) {
      delivery.requeued = true;
      inFlight.remove(message.id());
      wire.line("REQ " + message.id() + " " + random.nextInt(300));
    } else if (kind == 199) {
      return false;
    }
    // The others time out.
    wire.flush();
    return true;
  }
}
