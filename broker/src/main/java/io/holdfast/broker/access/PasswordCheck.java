package io.holdfast.broker.access;

import io.holdfast.broker.access.Users.User;
import io.holdfast.broker.queue.Names;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks names and passwords, slowly where they are wrong: bcrypt runs on threads of its own, a
 * wrong pair is answered no sooner than a second after it came, and of one address no more than
 * {@value #MAX_WAITING} wait at a time. A pair that was right is remembered for a minute, not in
 * clear. Thread-safe.
 */
public final class PasswordCheck implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(PasswordCheck.class);
  private static final long SLOW_NS = 1_000_000_000L;
  private static final long REMEMBER_NS = 60_000_000_000L;
  private static final int MAX_WAITING = 20;
  private static final int MAX_QUEUED = 1000;
  private static final int MAX_REMEMBERED = 10_000;
  private static final int THREADS = 2;
  private static final int KEY_BYTES = 32;

  /** What is checked where nobody has the name: else the time would tell who is there. */
  private static final SecretHash NOBODYS =
      new SecretHash("$2a$10$KBh9e3XFKui47lctCul46OQz8IDciqW9RerqvON8tNOg6ebS/AdXa", false);

  private final ThreadPoolExecutor hashing =
      new ThreadPoolExecutor(
          THREADS,
          THREADS,
          1,
          TimeUnit.MINUTES,
          new ArrayBlockingQueue<>(MAX_QUEUED),
          task -> daemon(task, "password"));
  private final ScheduledThreadPoolExecutor delays =
      new ScheduledThreadPoolExecutor(1, task -> daemon(task, "password-delay"));
  private final LongSupplier nanoClock;
  private final byte[] key = new byte[KEY_BYTES];

  /** By address; guarded by itself. */
  private final Map<String, Integer> waiting = new HashMap<>();

  /** When each right pair was seen last, by its keyed hash, oldest first; guarded by itself. */
  private final Map<String, Long> remembered = new LinkedHashMap<>();

  /**
   * Who came with a pair that is being looked at already, as the many connections of one program
   * do; guarded by itself.
   */
  private final Map<String, List<Waiter>> joined = new HashMap<>();

  private record Waiter(String name, String address, long cameNs, Consumer<Outcome> then) {}

  /** What became of a check. */
  public enum Outcome {
    RIGHT,
    WRONG,
    /** Too many of this address wait already. */
    TOO_MANY
  }

  /**
   * @param nanoClock monotonic
   */
  public PasswordCheck(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    new SecureRandom().nextBytes(key);
    hashing.allowCoreThreadTimeOut(true);
  }

  private static Thread daemon(Runnable task, String name) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    return thread;
  }

  /**
   * Checks a pair.
   *
   * @param user who has that name; null for nobody
   * @param name as given; for the log
   * @param address of the peer, without port
   * @param then told once, by this thread or another
   */
  public void check(
      User<?> user, String name, byte[] password, String address, Consumer<Outcome> then) {
    String pair = user == null ? null : pair(user, password);
    if (pair != null && isRemembered(pair)) {
      then.accept(Outcome.RIGHT);
      return;
    }
    Waiter waiter = new Waiter(name, address, nanoClock.getAsLong(), then);
    synchronized (joined) {
      List<Waiter> others = pair == null ? null : joined.get(pair);
      if (others != null) {
        others.add(waiter);
        return;
      }
      if (!enter(address)) {
        waiter = null;
      } else if (pair != null) {
        joined.put(pair, new ArrayList<>());
      }
    }
    if (waiter == null) {
      then.accept(Outcome.TOO_MANY);
    } else {
      hash(user, pair, password, waiter);
    }
  }

  private void hash(User<?> user, String pair, byte[] password, Waiter first) {
    try {
      hashing.execute(
          () -> {
            SecretHash hash = user == null ? NOBODYS : user.hash();
            if (hash.isPassword(password) && user != null) {
              remember(pair);
              leave(first.address());
              first.then().accept(Outcome.RIGHT);
              left(pair).forEach(other -> other.then().accept(Outcome.RIGHT));
            } else {
              wrong(first);
              left(pair).forEach(this::enterWrong);
            }
          });
    } catch (RejectedExecutionException e) {
      leave(first.address());
      first.then().accept(Outcome.TOO_MANY);
      left(pair).forEach(other -> other.then().accept(Outcome.TOO_MANY));
    }
  }

  /** Ends what others can join; returns who did. */
  private List<Waiter> left(String pair) {
    synchronized (joined) {
      List<Waiter> others = joined.remove(pair);
      return others == null ? List.of() : others; // null: nobody has the name
    }
  }

  /** Answers what is wrong when its second is over. Any thread. */
  public void wrongToken(String address, Consumer<Outcome> then) {
    enterWrong(new Waiter("(token)", address, nanoClock.getAsLong(), then));
  }

  private void enterWrong(Waiter waiter) {
    if (enter(waiter.address())) {
      wrong(waiter);
    } else {
      waiter.then().accept(Outcome.TOO_MANY);
    }
  }

  private void wrong(Waiter waiter) {
    LOG.warn(
        "log-in of {} from {} refused",
        Names.shown(waiter.name(), Users.MAX_NAME_LENGTH),
        waiter.address());
    long leftNs = SLOW_NS - (nanoClock.getAsLong() - waiter.cameNs());
    delays.schedule(
        () -> {
          leave(waiter.address());
          waiter.then().accept(Outcome.WRONG);
        },
        Math.max(0, leftNs),
        TimeUnit.NANOSECONDS);
  }

  private boolean enter(String address) {
    synchronized (waiting) {
      int count = waiting.getOrDefault(address, 0);
      if (count >= MAX_WAITING) {
        return false;
      }
      waiting.put(address, count + 1);
      return true;
    }
  }

  private void leave(String address) {
    synchronized (waiting) {
      waiting.computeIfPresent(address, (key, count) -> count == 1 ? null : count - 1);
    }
  }

  /** Of key, user with hash, and password: who gets another password is another one. */
  private String pair(User<?> user, byte[] password) {
    MessageDigest digest = SecretHash.sha256();
    digest.update(key);
    digest.update((user.name() + ":" + user.hash().text() + ":").getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(digest.digest(password));
  }

  private boolean isRemembered(String pair) {
    synchronized (remembered) {
      Long since = remembered.get(pair);
      return since != null && nanoClock.getAsLong() - since < REMEMBER_NS;
    }
  }

  private void remember(String pair) {
    synchronized (remembered) {
      remembered.remove(pair);
      remembered.put(pair, nanoClock.getAsLong());
      if (remembered.size() > MAX_REMEMBERED) {
        remembered.remove(remembered.keySet().iterator().next());
      }
    }
  }

  @Override
  public void close() {
    hashing.shutdownNow();
    delays.shutdownNow();
  }
}
