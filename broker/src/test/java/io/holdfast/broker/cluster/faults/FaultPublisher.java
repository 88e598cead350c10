package io.holdfast.broker.cluster.faults;

import io.holdfast.broker.system.support.Frame;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;

/** Publishes at one node, whatever happens to that. */
final class FaultPublisher implements Runnable {
  private static final AtomicLong CONNECTIONS = new AtomicLong();
  private static final int ANSWER_MS = 15_000;
  private static final int MAX_BATCH = 8;
  private static final int MAX_DEFER_MS = 1500;

  private final FaultNode node;
  private final List<String> topics;
  private final History history;
  private final FaultReport report;
  private final Random random;
  private final int window;
  private final String name;
  private long count;
  private volatile boolean isOver;

  // Of the present connection.
  private final ArrayDeque<Command> underWay = new ArrayDeque<>();
  private long connection;
  private long sequence;

  /**
   * @param name part of its commands' keys
   * @param window how many are under way at a time
   */
  FaultPublisher(
      String name,
      FaultNode node,
      List<String> topics,
      int window,
      History history,
      FaultReport report,
      Random random) {
    this.name = name;
    this.node = node;
    this.topics = topics;
    this.window = window;
    this.history = history;
    this.report = report;
    this.random = random;
  }

  /** Ends once all that is under way is answered. */
  void end() {
    isOver = true;
  }

  @Override
  public void run() {
    while (!isOver) {
      connection = CONNECTIONS.incrementAndGet();
      sequence = 0;
      try (Wire wire = new Wire(node)) {
        publish(wire);
      } catch (IOException e) {
        report.add(sequence == 0 ? "connects of publishers in vain" : "publishers cut off", 1);
      }
      underWay.forEach(command -> command.told(Command.Told.UNKNOWN, "connection ended"));
      underWay.clear();
      pause(50);
    }
  }

  private static void pause(int millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void publish(Wire wire) throws IOException {
    while (!isOver || !underWay.isEmpty()) {
      if (!isOver) {
        for (int more = 1 + random.nextInt(window); more > 0 && underWay.size() < window; more--) {
          send(wire);
        }
        wire.flush();
      }
      Frame frame = wire.poll(ANSWER_MS);
      if (frame == null) {
        noAnswer();
        return;
      }
      if (frame.isHeartbeat()) {
        continue;
      }
      if (!answered(frame)) {
        return;
      }
      if (underWay.isEmpty()) {
        pause(random.nextInt(8));
      }
    }
  }

  private void noAnswer() {
    Command first = underWay.peek();
    // A node that a fault has stopped answers when it goes on, and had not all of the time.
    if (first != null && !node.wasStopped(ANSWER_MS)) {
      history.strange("no answer in " + ANSWER_MS + " ms: " + first.key);
    }
  }

  private void send(Wire wire) throws IOException {
    String topic = topics.get(random.nextInt(topics.size()));
    int kind = random.nextInt(10);
    int messages = kind < 2 ? 2 + random.nextInt(MAX_BATCH - 1) : 1;
    long deferMs = kind == 9 ? 1 + random.nextInt(MAX_DEFER_MS) : 0;
    Command command =
        new Command(
            name + "." + ++count, topic, node.name(), connection, sequence++, messages, deferMs);
    history.sent(command);
    underWay.add(command);
    List<byte[]> bodies = command.bodies(random.nextInt(300));
    if (messages > 1) {
      wire.batch("MPUB " + topic, bodies);
    } else if (deferMs > 0) {
      wire.command("DPUB " + topic + " " + deferMs, bodies.get(0));
    } else {
      wire.command("PUB " + topic, bodies.get(0));
    }
  }

  /** Whether the connection goes on. */
  private boolean answered(Frame frame) {
    Command command = underWay.poll();
    String text = frame.text();
    if (command == null) {
      history.strange("an answer to nothing at " + node.name() + ": " + text);
      return false;
    }
    if (text.equals("OK")) {
      command.told(Command.Told.OK, "");
      report.ok(node.name());
      return true;
    }
    if (text.contains("disk")) {
      // One disk at a time is filled, and others have room.
      history.strange(node.name() + " says " + text);
    }
    boolean isUnknown = text.contains("outcome unknown");
    command.told(isUnknown ? Command.Told.UNKNOWN : Command.Told.REFUSED, text);
    report.add("answer: " + text.replaceAll("topic \\S+", "topic T"), 1);
    return false;
  }
}
