package io.holdfast.broker.system;

import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.PersistentPublisher;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.UncheckedIOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Administrators, publishers and consumers that get in each other's way, each on a thread of its
 * own: everything on topic {@code churn}, and on the other channels of topic {@code kept}, is
 * created, deleted, emptied and paused all the time; {@code kept} and its channel {@code kept} are
 * only paused. Whatever a request's outcome, it has to come, and never as an internal error.
 */
final class AdminChurn {
  private static final Duration POLL = Duration.ofMillis(50);
  private static final String KEPT = "topic=kept&channel=kept";

  private final BrokerProcess broker;
  private final long seed;
  private final List<Thread> threads = new ArrayList<>();
  private final Queue<String> failures = new ConcurrentLinkedQueue<>();
  private final Set<String> received = ConcurrentHashMap.newKeySet();
  final AtomicInteger topicDeletions = new AtomicInteger();
  final AtomicInteger channelDeletions = new AtomicInteger();
  final AtomicInteger requests = new AtomicInteger();
  private volatile boolean down;
  private volatile boolean stopping;
  private volatile boolean stoppingConsumer;

  AdminChurn(BrokerProcess broker, long seed) {
    this.broker = broker;
    this.seed = seed;
  }

  private interface Round {
    void run(Random random) throws Exception;
  }

  void start() {
    thread("kept-consumer", random -> consumeKept());
    thread("topic-churn-1", this::churnTopic);
    thread("topic-churn-2", this::churnTopic);
    thread("channel-churn-1", this::churnChannel);
    thread("channel-churn-2", this::churnChannel);
    thread("pauses", this::pause);
    thread("publisher", this::publishToChurn);
    thread("consumer", random -> consume("churn", "c", random));
    thread("other-consumer", random -> consume("kept", "vol", random));
    thread("ephemeral-consumer", random -> consume("kept", "e#ephemeral", random));
    thread("ephemeral-topic", this::ephemeralTopic);
    thread("stats", random -> stats());
  }

  private void thread(String name, Round round) {
    boolean consumer = name.equals("kept-consumer");
    Random random = new Random(seed + name.hashCode());
    Thread thread =
        new Thread(
            () -> {
              while (!(consumer ? stoppingConsumer : stopping)) {
                try {
                  round.run(random);
                } catch (ClosedByBroker e) {
                  continue; // its topic was deleted, or the broker stops
                } catch (UncheckedIOException e) {
                  if (e.getCause() instanceof SocketTimeoutException) {
                    failures.add(name + ": no answer: " + e);
                  } else if (!down) {
                    LockSupport.parkNanos(1_000_000);
                  } else {
                    LockSupport.parkNanos(10_000_000);
                  }
                } catch (Exception | AssertionError e) {
                  failures.add(name + ": " + e);
                }
              }
            },
            "churn-" + name);
    thread.setDaemon(true);
    thread.start();
    threads.add(thread);
  }

  /** What went wrong so far. */
  List<String> failures() {
    return List.copyOf(failures);
  }

  /** The keys of what channel {@code kept} delivered. */
  Set<String> received() {
    return received;
  }

  /** Whether the broker is down or about to be: connections may break. */
  void setDown(boolean isDown) {
    down = isDown;
  }

  /** Ends all but the consumer of {@code kept}; false when some thread hangs. */
  boolean stop() throws InterruptedException {
    stopping = true;
    return join(threads.subList(1, threads.size()));
  }

  boolean stopConsumer() throws InterruptedException {
    stoppingConsumer = true;
    return join(threads.subList(0, 1));
  }

  private boolean join(List<Thread> ending) throws InterruptedException {
    for (Thread thread : ending) {
      thread.join(40_000);
      if (thread.isAlive()) {
        failures.add(thread.getName() + " hangs");
      }
    }
    return ending.stream().noneMatch(Thread::isAlive);
  }

  // ---------------------------------------------------------------- administrators

  /** 200, or what an endpoint says when somebody else was faster. */
  private boolean post(String target) {
    Http.Response response = broker.http().post(target).unlessDown();
    requests.incrementAndGet();
    boolean known =
        switch (response.status()) {
          case 200 -> true;
          case 404 -> response.body().contains("_NOT_FOUND");
          // Being deleted; or the broker stops.
          case 503 -> response.body().contains("EXITING");
          default -> false;
        };
    if (!known) {
      failures.add(target + ": " + response.status() + " " + response.body());
    }
    return response.status() == 200;
  }

  private void churnTopic(Random random) {
    switch (random.nextInt(6)) {
      case 0, 1 -> post("/topic/create?topic=churn");
      case 2 -> broker.http().post("/pub?topic=churn", "x").unlessDown();
      case 3 -> post("/topic/empty?topic=churn");
      default -> {
        if (post("/topic/delete?topic=churn")) {
          topicDeletions.incrementAndGet();
        }
      }
    }
  }

  private void churnChannel(Random random) {
    switch (random.nextInt(6)) {
      case 0, 1 -> post("/channel/create?topic=kept&channel=vol");
      case 2 -> post("/channel/empty?topic=kept&channel=vol");
      case 3 -> post("/channel/create?topic=churn&channel=c");
      default -> {
        if (post("/channel/delete?topic=kept&channel=vol")) {
          channelDeletions.incrementAndGet();
        }
      }
    }
  }

  private void pause(Random random) {
    String what = random.nextBoolean() ? "/topic/%s?topic=kept" : "/channel/%s?" + KEPT;
    post(what.formatted("pause"));
    post("/channel/pause?topic=kept&channel=vol");
    post("/topic/pause?topic=churn");
    post("/channel/unpause?topic=kept&channel=vol");
    post("/topic/unpause?topic=churn");
    post(what.formatted("unpause"));
  }

  private void stats() {
    for (String target : List.of("/stats?format=json", "/stats", "/ping")) {
      Http.Response response = broker.http().get(target).unlessDown();
      requests.incrementAndGet();
      if (response.status() != 200 && !down) {
        failures.add(target + ": " + response.status() + " " + response.body());
      }
    }
  }

  // ---------------------------------------------------------------- clients

  private void publishToChurn(Random random) {
    try (RawNsqConnection conn = broker.connect()) {
      for (int i = random.nextInt(50); i >= 0 && !stopping; i--) {
        conn.command("PUB churn", "y".repeat(1 + random.nextInt(2000)));
        Frame reply = conn.frame();
        if (reply.type() == Frame.ERROR) {
          if (!reply.text().equals("E_PUB_FAILED PUB failed exiting")) {
            failures.add("PUB: " + reply);
          }
          return;
        }
      }
    }
  }

  private void consume(String topic, String channel, Random random) {
    try (RawNsqConnection conn = broker.connect()) {
      conn.line("SUB " + topic + " " + channel);
      Frame reply = conn.frame();
      if (reply.type() == Frame.ERROR) {
        if (!reply.text().startsWith("E_SUB_FAILED SUB failed ")) {
          failures.add("SUB: " + reply);
        }
        return;
      }
      conn.line("RDY 20");
      for (int i = random.nextInt(300); i >= 0 && !stopping; i--) {
        Frame frame = conn.pollFrame(POLL);
        if (frame == null) {
          return;
        }
        // An error frame is a FIN's that came after an emptying.
        if (frame.type() == Frame.MESSAGE && random.nextInt(10) > 0) {
          conn.fin(frame.message());
        }
      }
    }
  }

  /** Comes and goes with its consumers. */
  private void ephemeralTopic(Random random) {
    broker.http().post("/pub?topic=passing%23ephemeral", "z");
    consume("passing#ephemeral", "p#ephemeral", random);
    consume("passing#ephemeral", "durable", random);
    post("/channel/delete?topic=passing%23ephemeral&channel=durable");
  }

  private void consumeKept() {
    try (RawNsqConnection conn = broker.connect()) {
      conn.line("SUB kept kept").expectOk().line("RDY 100");
      while (!stoppingConsumer) {
        Frame frame = conn.pollFrame(POLL);
        // On a busy machine a FIN comes later than the short timeout, and the message again.
        boolean late =
            frame != null
                && frame.type() == Frame.ERROR
                && frame.text().startsWith("E_FIN_FAILED FIN");
        if (frame != null && !late) {
          Frame.Msg message = frame.message();
          if (!PersistentPublisher.isIntact(message.text())) {
            failures.add("damaged: " + PersistentPublisher.key(message.text()));
          }
          received.add(PersistentPublisher.key(message.text()));
          conn.fin(message);
        }
      }
    }
  }
}
