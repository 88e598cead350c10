package io.holdfast.broker.soak;

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
 * A consumer of one channel with all bad habits: it requeues, forgets, touches, disconnects and
 * crashes with messages in flight, unless told to be calm. Now and then it publishes something
 * nobody wants on the same connection: its OK says that all answers before it were read.
 */
final class SoakConsumer implements Runnable {
  private static final int ANSWERS_PER_PROBE = 40;

  private final BrokerProcess broker;
  private final ChannelAudit audit;
  private final SoakReport report;
  private final Random random;
  private volatile boolean calm;
  private volatile boolean stopping;
  private volatile boolean idle;

  // one session's, owned by the thread
  private RawNsqConnection conn;
  private ChannelAudit.Session session;
  private List<ChannelAudit.Answered> answered = new ArrayList<>();
  private final Deque<List<ChannelAudit.Answered>> probes = new ArrayDeque<>();

  SoakConsumer(BrokerProcess broker, ChannelAudit audit, SoakReport report, long seed) {
    this.broker = broker;
    this.audit = audit;
    this.report = report;
    this.random = new Random(seed);
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
      session = null;
    }
    if (conn != null) {
      conn.close();
      conn = null;
    }
    answered = new ArrayList<>();
    probes.clear();
  }

  private void runSession() {
    int life = report.brokerLife();
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
    session = new ChannelAudit.Session(life);
    boolean calmSession = calm;
    conn.line("RDY " + (calmSession ? 200 : 1 + random.nextInt(random.nextBoolean() ? 5 : 300)));
    int left = calmSession ? Integer.MAX_VALUE : random.nextInt(2000);
    long endNs = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(random.nextInt(8000));
    while (!stopping && left > 0 && (calmSession || System.nanoTime() < endNs && !calm)) {
      if (handle(conn.poll(Duration.ofMillis(100)), calmSession)) {
        left--;
      }
    }
    if (!calmSession && random.nextInt(3) == 0) {
      leaveProperly();
    }
  }

  /** Returns whether it was a message. */
  private boolean handle(Frame frame, boolean calmSession) {
    if (frame == null) {
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
      audit.refused(words[2], session);
    } else if (!words[0].equals("E_TOUCH_FAILED")) {
      report.count("consumer refused: " + text);
    }
  }

  private void answer(Frame.Msg message, boolean calmSession) {
    ChannelAudit.Seen seen = audit.delivered(message, session);
    int choice = calmSession ? 99 : random.nextInt(100);
    if (choice < 1) {
      report.count("left to time out");
      return;
    } else if (choice < 6) {
      int delayMs = choice < 3 ? 0 : random.nextInt(1500);
      answered.add(audit.requeueing(seen, delayMs));
      conn.line("REQ " + message.id() + " " + delayMs);
    } else {
      if (choice < 9) {
        conn.line("TOUCH " + message.id());
      }
      answered.add(audit.finishing(seen));
      conn.line("FIN " + message.id());
    }
    if (answered.size() >= ANSWERS_PER_PROBE) {
      probe();
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
      handle(conn.poll(Duration.ofMillis(50)), true);
    }
  }
}
