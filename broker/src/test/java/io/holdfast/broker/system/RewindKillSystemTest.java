package io.holdfast.broker.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.holdfast.broker.system.support.BrokerProcess;
import io.holdfast.broker.system.support.ClosedByBroker;
import io.holdfast.broker.system.support.Frame;
import io.holdfast.broker.system.support.Http;
import io.holdfast.broker.system.support.RawNsqConnection;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A channel is rewound while two clients consume, and the broker is killed at some moment around
 * that: afterwards it is where it was or where it was to be, message by message.
 */
class RewindKillSystemTest {
  private static final int MESSAGES = 900;
  private static final int ROUNDS = 5;

  /** What a client may have in flight. */
  private static final int READY = 3;

  /** A client finishes no more in a round, both together no more than the way to a new position. */
  private static final int MOST = 150;

  private static final int FAR = 2 * MOST;

  private static final int MAX_DELAY_US = 40_000;
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  private final Random random = new Random(20_261_129);
  private BrokerProcess broker;

  /** Numbers of the messages in the order of publishing, by id. */
  private final TreeMap<String, Integer> numbers = new TreeMap<>();

  /** A client that finishes what it gets, not too fast, until its connection ends. */
  private final class Client extends Thread {
    private final RawNsqConnection conn = broker.subscribe("t", "c").line("RDY " + READY);

    /** All deliveries in their order, guarded by itself; the first ones are followed by a FIN. */
    private final List<Integer> delivered = new ArrayList<>();

    private volatile Throwable failure;

    /** How many of them came before the rewind was asked for. */
    private int beforeRewind;

    @Override
    public void run() {
      try {
        while (true) {
          Frame frame = conn.poll(PATIENCE);
          if (frame == null) {
            continue; // all it may have is in flight
          }
          if (frame.isHeartbeat()) {
            conn.line("NOP");
          } else if (frame.type() == Frame.MESSAGE) {
            Frame.Msg message = frame.message();
            synchronized (delivered) {
              delivered.add(numbers.get(message.id()));
            }
            if (count() <= MOST) {
              conn.fin(message);
            }
            LockSupport.parkNanos(random(1_000_000));
          } else if (!frame.text().startsWith("E_FIN_FAILED")) {
            throw new AssertionError(frame.toString());
          }
        }
      } catch (UncheckedIOException | ClosedByBroker e) {
        conn.close(); // killed
      } catch (RuntimeException | Error e) {
        failure = e;
      }
    }

    private long random(int bound) {
      return 7919L * 7919 * (delivered.size() + 1) % bound;
    }

    int count() {
      synchronized (delivered) {
        return delivered.size();
      }
    }

    void rewinding() {
      beforeRewind = count();
    }

    /** What it finished; for certain only when so many came afterwards that it had to be read. */
    List<Integer> finished(boolean certain) {
      return delivered.subList(0, Math.min(MOST, certain ? Math.max(0, count() - READY) : count()));
    }

    /** What it finished after the rewind was asked for. */
    List<Integer> finishedSince() {
      List<Integer> all = finished(false);
      return all.subList(Math.min(beforeRewind, all.size()), all.size());
    }
  }

  @Test
  void aKillLeavesTheOldOrTheNewPositionMessageByMessage() throws Exception {
    int rewound = 0;
    try (BrokerProcess process = BrokerProcess.started("--retention=1h")) {
      broker = process;
      publish();
      SortedSet<Integer> ready = ready();
      assertEquals(MESSAGES, ready.size());
      for (int round = 0; round < ROUNDS; round++) {
        SortedSet<Integer> after = rewindAndKill(ready, round);
        rewound += after.equals(ready) ? 0 : 1;
        ready = after;
      }
      consumeAll(ready);
    }
    assertTrue(rewound > 0, "nothing was ever consumed or rewound");
  }

  private void publish() {
    Http http = broker.http();
    http.post("/topic/create?topic=t").expect(200, "");
    http.post("/channel/create?topic=t&channel=c").expect(200, "");
    String lines =
        String.join("\n", IntStream.range(0, MESSAGES).mapToObj(Integer::toString).toList());
    http.post("/mpub?topic=t", lines).expect(200, "OK");
    for (JsonNode message : http.get("/topic/peek?topic=t&n=1000").json().path("messages")) {
      numbers.put(message.path("id").asText(), message.path("body").asInt());
    }
    assertEquals(MESSAGES, numbers.size());
  }

  /** What the channel has to deliver; nobody consumes. */
  private SortedSet<Integer> ready() {
    TreeSet<Integer> ready = new TreeSet<>();
    Http.Response peeked = broker.http().get("/channel/peek?topic=t&channel=c&n=1000");
    for (JsonNode message : peeked.json().path("messages")) {
      assertTrue(ready.add(numbers.get(message.path("id").asText())), "twice: " + message);
    }
    assertEquals(ready.size(), broker.http().channel("t", "c").path("depth").asInt());
    return ready;
  }

  /** Returns what is ready afterwards. */
  private SortedSet<Integer> rewindAndKill(SortedSet<Integer> before, int round) throws Exception {
    // Back behind everything that is finished by then, or forward beyond it.
    boolean back = before.isEmpty() || before.first() > FAR || round % 2 == 0;
    int to = back ? random.nextInt(50) : before.first() + FAR + random.nextInt(100);
    String id = id(to);
    List<Client> clients = List.of(new Client(), new Client());
    clients.forEach(Thread::start);
    int enough = Math.min(before.size() / 2, 20 + random.nextInt(100));
    assertTrue(before.size() > MOST, "too few are left");
    Awaitility.await()
        .atMost(PATIENCE)
        .pollInterval(Duration.ofMillis(1))
        .until(() -> clients.stream().mapToInt(Client::count).sum() >= enough);
    Http http = broker.http();
    AtomicReference<JsonNode> answer = new AtomicReference<>();
    Thread rewind =
        new Thread(
            () -> {
              try {
                answer.set(http.post("/channel/rewind?topic=t&channel=c&to=" + id).json());
              } catch (UncheckedIOException e) {
                // Killed before it was answered.
              }
            });
    // Now and then the answer comes before the kill.
    boolean awaited = round % 3 == 0;
    clients.forEach(Client::rewinding);
    rewind.start();
    if (awaited) {
      rewind.join();
    }
    LockSupport.parkNanos(1000L * random.nextInt(MAX_DELAY_US));
    broker.kill9();
    rewind.join();
    for (Client client : clients) {
      client.join();
      assertEquals(null, client.failure);
    }
    broker.start();
    SortedSet<Integer> after = ready();
    String asOld = difference(after, old(before, clients, true), old(before, clients, false));
    Set<Integer> from = new TreeSet<>(IntStream.range(to, MESSAGES).boxed().toList());
    Set<Integer> most = new TreeSet<>(from);
    Set<Integer> least = new TreeSet<>(from);
    for (Client client : clients) {
      most.removeAll(finishedAnew(client, before, back ? MESSAGES : to));
      client.finishedSince().forEach(least::remove);
    }
    String asNew = difference(after, most, least);
    String what = "round " + round + " from " + before.first() + " to " + to + ", answer " + answer;
    assertTrue(asNew == null || asOld == null, what + "\nold: " + asOld + "\nnew: " + asNew);
    assertTrue(answer.get() == null || asNew == null, what + "\nnew: " + asNew);
    return after;
  }

  private String id(int number) {
    return numbers.entrySet().stream()
        .filter(entry -> entry.getValue() == number)
        .findFirst()
        .orElseThrow()
        .getKey();
  }

  /** What would be ready if nothing had been rewound. */
  private static Set<Integer> old(Set<Integer> before, List<Client> clients, boolean certain) {
    Set<Integer> ready = new TreeSet<>(before);
    clients.forEach(client -> client.finished(certain).forEach(ready::remove));
    return ready;
  }

  /**
   * What a client certainly finished after the rewind, if there was one.
   *
   * @param ahead what it cannot have come to otherwise
   */
  private static Set<Integer> finishedAnew(Client client, Set<Integer> before, int ahead) {
    Set<Integer> anew = new HashSet<>();
    Set<Integer> came = new HashSet<>();
    for (int number : client.finished(true)) {
      // It was finished already, or is far ahead.
      boolean again = !before.contains(number) || !came.add(number);
      if (again || number >= ahead) {
        anew.add(number);
      }
    }
    return anew;
  }

  /** Null when a set is between two others, else what is missing and too much. */
  private static String difference(Set<Integer> found, Set<Integer> most, Set<Integer> least) {
    Set<Integer> tooMuch = new TreeSet<>(found);
    tooMuch.removeAll(most);
    Set<Integer> missing = new TreeSet<>(least);
    missing.removeAll(found);
    return tooMuch.isEmpty() && missing.isEmpty()
        ? null
        : "too much " + tooMuch + ", missing " + missing;
  }

  /** What is ready comes once, and nothing else. */
  private void consumeAll(SortedSet<Integer> ready) {
    try (RawNsqConnection consumer = broker.subscribe("t", "c").line("RDY 1000")) {
      TreeSet<Integer> came = new TreeSet<>();
      for (Frame.Msg message : consumer.messages(ready.size())) {
        assertTrue(came.add(numbers.get(message.id())), "twice: " + message.text());
        consumer.fin(message);
      }
      assertEquals(ready, came);
      broker.http().awaitChannelCount("t", "c", "in_flight_count", 0);
      assertEquals(0, broker.http().channel("t", "c").path("depth").asInt());
    }
  }
}
