package io.holdfast.storage.log;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * How many logs of this process have files open, each some descriptors and a mapping. Where they
 * are many, those who look after logs are asked to close cold ones, and whoever opens one more
 * waits a little for them: thousands of cold topics can be published to faster than anybody who
 * comes by now and then would close their files. Thread-safe.
 */
public final class OpenLogs {
  /**
   * At worst the descriptors are gone after that, which is an error of the disk to whoever asks.
   */
  private static final long MOST_WAIT_NS = TimeUnit.MILLISECONDS.toNanos(500);

  private static final long LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);

  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final List<Keeper> KEEPERS = new CopyOnWriteArrayList<>();

  private OpenLogs() {}

  /** Who looks after logs of this process. */
  public interface Keeper {
    /** So many may be open without anybody being asked. Soon told. */
    int most();

    /** Has cold ones closed, soon and in another thread. */
    void closeCold();
  }

  /** Asks somebody from now on. */
  public static void add(Keeper keeper) {
    KEEPERS.add(keeper);
  }

  /** Asks somebody no more. */
  public static void remove(Keeper keeper) {
    KEEPERS.remove(keeper);
  }

  /** How many there are. */
  public static int count() {
    return COUNT.get();
  }

  static void opened() {
    COUNT.incrementAndGet();
  }

  static void closed() {
    COUNT.decrementAndGet();
  }

  /** One more is about to be opened. May hold locks that a keeper needs: the wait is short. */
  static void awaitRoom() {
    long endNs = 0;
    for (Keeper keeper : KEEPERS) {
      int most = keeper.most();
      if (count() >= most) {
        keeper.closeCold();
        endNs = endNs == 0 ? System.nanoTime() + MOST_WAIT_NS : endNs;
        while (count() >= most + most / 2 && endNs - System.nanoTime() > 0) {
          LockSupport.parkNanos(keeper, LOOK_NS);
        }
      }
    }
  }
}
