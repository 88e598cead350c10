package io.holdfast.broker.soak;

import io.holdfast.broker.soak.Delivery.Answered;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A consumer of one channel with all bad habits: it requeues, forgets, touches, is slow,
 * disconnects and crashes with messages in flight, and leaves one in five hundred messages
 * unfinished for long, unless told to be calm. Now and then it publishes something nobody wants on
 * the same connection: its OK says that all answers before it were read.
 */
final class SoakConsumer implements Runnable {
  private static final int ANSWERS_PER_PROBE = 40;
  private static final int ONE_STRAGGLER_IN = 500;
  private static final int STRAGGLER_DELAY_MS = 12_000;
  private static final int MAX_STRAGGLERS = 50;
  private static final long STRAGGLER_AGE_NS = TimeUnit.SECONDS.toNanos(45);
  private static final long TOUCH_EVERY_NS = TimeUnit.SECONDS.toNanos(1);

  private final BrokerProcess broker;
  private final ChannelAudit audit;
  private final SoakReport report;
  private final Random random;
  private volatile boolean calm;
  private volatile boolean stopping;
  private volatile boolean idle;
  private boolean modest;
  private boolean killing;

  // one session's, owned by the thread
  private RawNsqConnection conn;
  private Delivery.Session session;
  private int slowMs;
  private List<Answered> answered = new ArrayList<>();
  private final Deque<List<Answered>> probes = new ArrayDeque<>();
  private final List<Delivery> touched = new ArrayList<>();
  private long nextTouchNs;
  private long lookedNs;

  SoakConsumer(BrokerProcess broker, ChannelAudit audit, SoakReport report, long seed) {
    this.broker = broker;
    this.audit = audit;
    this.report = report;
    this.random = new Random(seed);
  }

  /**
   * Takes few messages at once and leaves none for long.
   *
   * @param never whether one in ten is never finished, however often it comes
   */
  SoakConsumer modest(boolean never) {
    modest = true;
    killing = never;
    return this;
  }

  /** From now on it finishes everything at once and stays connected. */
  void beCalm() {
    calm = true;
  }

  void stop() {
    stopping = true;
  }

  /** Whether all answers it gave were read and nothing came for a while. */
  boolean isIdle() {
    return idle;
  }

  @Override
  public void run() {
    while (!stopping) {
      if (!calm && random.nextInt(4) == 0) {
        // Meanwhile the backlog grows beyond the memory queue.
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(random.nextInt(2500)));
      }
      try {
        runSession();
      } catch (UncheckedIOException | ClosedByBroker e) {
        LockSupport.parkNanos(20_000_000); // the broker is down
      } finally {
        end();
      }
    }
  }

  private void end() {
    if (session != null) {
      session.ended = true;
      audit.sessionEnded();
      session = null;
    }
    if (conn != null) {
      conn.close();
      conn = null;
    }
    answered = new ArrayList<>();
    probes.clear();
    touched.clear();
  }

  private void runSession() {
    int life = report.brokerLife();
    long startNs = System.nanoTime();
    conn = broker.connect();
    conn.line("SUB " + audit.topic().name() + " " + audit.channel());
    Frame reply = conn.poll(Duration.ofSeconds(20));
    if (reply == null || reply.type() != Frame.RESPONSE) {
      report.count("SUB refused: " + reply);
      if (reply == null && broker.isAlive() && report.brokerLife() == life) {
        report.violation("hang", "no reply to SUB " + audit.channel());
      }
      return;
    }
    if (report.brokerLife() != life) {
      return; // which life this connection belongs to is not known
    }
    session = new Delivery.Session(life, startNs);
    boolean calmSession = calm;
    slowMs = !calmSession && random.nextInt(5) == 0 ? 1 + random.nextInt(modest ? 10 : 60) : 0;
    int many = modest ? 20 : 300;
    conn.line("RDY " + (calmSession ? 200 : 1 + random.nextInt(random.nextBoolean() ? 5 : many)));
    int left = calmSession ? Integer.MAX_VALUE : random.nextInt(4000);
    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(8000));
    while (!stopping && left > 0 && (calmSession || (System.nanoTime() < endNs && !calm))) {
      // Before the look: what was sent by now is read when there is nothing.
      lookedNs = System.nanoTime();
      if (handle(conn.poll(Duration.ofMillis(100)), calmSession)) {
        left--;
      }
      touchStragglers();
    }
    if (!calmSession && random.nextInt(3) == 0) {
      leaveProperly();
    }
  }

  /** Returns whether it was a message. */
  private boolean handle(Frame frame, boolean calmSession) {
    if (frame == null) {
      session.emptyNs = lookedNs;
      if (!answered.isEmpty()) {
        probe();
      } else if (probes.isEmpty()) {
        idle = true;
      }
      return false;
    }
    if (frame.isHeartbeat()) {
      conn.line("NOP");
    } else if (frame.type() == Frame.MESSAGE) {
      idle = false;
      answer(frame.message(), calmSession);
      return true;
    } else if (frame.type() == Frame.ERROR) {
      refused(frame.text());
    } else if (frame.text().equals("OK") && !probes.isEmpty()) {
      audit.read(probes.removeFirst());
    } else if (!frame.text().equals("CLOSE_WAIT")) {
      report.violation("odd frame", frame.toString());
    }
    return false;
  }

  private void refused(String text) {
    String[] words = text.split(" ");
    if (words.length > 2 && (words[0].equals("E_FIN_FAILED") || words[0].equals("E_REQ_FAILED"))) {
      for (List<Answered> sent : probes) {
        if (markRefused(sent, words[2])) {
          return;
        }
      }
      markRefused(answered, words[2]);
    } else if (!words[0].equals("E_TOUCH_FAILED")) {
      report.count("consumer refused: " + text);
    }
  }

  private boolean markRefused(List<Answered> sent, String id) {
    for (Answered one : sent) {
      if (one.message.id.equals(id) && !one.refused) {
        audit.refused(one);
        return true;
      }
    }
    return false;
  }

  private void answer(Frame.Msg frame, boolean calmSession) {
    if (slowMs > 0) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(slowMs));
    }
    Delivery message = audit.delivered(frame, session);
    if (message == null) {
      return; // an answer might hit a later delivery to this connection, not read yet
    }
    int choice = calmSession ? 99 : random.nextInt(100);
    if (killing && isMortal(message.key)) {
      requeue(message, calmSession || random.nextBoolean() ? 0 : random.nextInt(200));
    } else if (!calmSession && !modest && isStraggler(message.key)) {
      leaveUnfinished(message);
    } else if (choice < 1) {
      report.count("left to time out");
    } else if (choice < 6) {
      requeue(message, choice < 3 ? 0 : random.nextInt(modest ? 200 : 1500));
    } else {
      if (choice < 9) {
        conn.line("TOUCH " + message.id);
      }
      answered.add(audit.finishing(message));
      conn.line("FIN " + message.id);
    }
    if (answered.size() >= ANSWERS_PER_PROBE) {
      probe();
    }
  }

  private void requeue(Delivery message, int delayMs) {
    answered.add(audit.requeueing(message, delayMs));
    conn.line("REQ " + message.id + " " + delayMs);
  }

  /** Whether consumers of channels that bound the attempts never finish it. */
  private static boolean isMortal(String key) {
    return Math.floorMod(key.hashCode(), 10) == 0;
  }

  private boolean isStraggler(String key) {
    SoakTopic.Published published = audit.topic().get(key);
    return Math.floorMod(key.hashCode(), ONE_STRAGGLER_IN) == 0
        && System.nanoTime() - published.startNs < STRAGGLER_AGE_NS;
  }

  /** Deferred again and again, or kept in flight by TOUCH. */
  private void leaveUnfinished(Delivery message) {
    if (random.nextBoolean() && touched.size() < MAX_STRAGGLERS) {
      report.count("stragglers kept in flight by TOUCH");
      touched.add(message);
    } else {
      report.count("stragglers deferred for long");
      requeue(message, STRAGGLER_DELAY_MS / 2 + random.nextInt(STRAGGLER_DELAY_MS / 2));
    }
  }

  private void touchStragglers() {
    if (touched.isEmpty() || System.nanoTime() < nextTouchNs) {
      return;
    }
    nextTouchNs = System.nanoTime() + TOUCH_EVERY_NS;
    for (Delivery message : touched) {
      conn.line("TOUCH " + message.id);
    }
  }

  private void probe() {
    probes.add(answered);
    answered = new ArrayList<>();
    conn.command("PUB probe#ephemeral", "x");
  }

  /** CLS, then answers what was on its way. */
  private void leaveProperly() {
    conn.line("CLS");
    probe();
    long endNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(1);
    while ((!probes.isEmpty() || !answered.isEmpty()) && System.nanoTime() < endNs) {
      lookedNs = System.nanoTime();
      handle(conn.poll(Duration.ofMillis(50)), true);
    }
  }
}
