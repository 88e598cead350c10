package io.holdfast.broker.cluster;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.holdfast.broker.cluster.engine.GroupStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** When a group has a snapshot taken. */
final class GroupUpkeepTest {
  private final AtomicLong clock = new AtomicLong(7);
  private final AtomicBoolean isShort = new AtomicBoolean();
  private final Kept group = new Kept();
  private final GroupUpkeep upkeep =
      new GroupUpkeep(group, () -> 1 << 30, isShort::get, clock::get);

  /** Notes what is done, and is done with it at once. */
  private static final class Kept implements KeptGroup {
    final List<String> done = new ArrayList<>();
    long applied = 1;
    long snapshot;
    long logBytes;
    String error;
    boolean mayRestart = true;

    @Override
    public int group() {
      return 1;
    }

    @Override
    public boolean isServing() {
      return true;
    }

    @Override
    public GroupStatus status() {
      return new GroupStatus(
          GroupStatus.Role.LEADER,
          1,
          "a",
          1,
          applied,
          applied,
          applied,
          snapshot,
          logBytes,
          error,
          List.of());
    }

    @Override
    public CompletableFuture<Void> handOverOrSay(String to) {
      throw new UnsupportedOperationException();
    }

    @Override
    public String error() {
      return error;
    }

    @Override
    public boolean mayRestart() {
      return mayRestart;
    }

    @Override
    public void stop() {
      done.add("stop");
    }

    @Override
    public void start() {
      done.add("start");
    }

    @Override
    public void housekeep() {
      // Not what this is about.
    }

    @Override
    public CompletableFuture<Long> snapshot() {
      return taken("snapshot");
    }

    @Override
    public CompletableFuture<Long> snapshotAndDrop() {
      return taken("snapshot and drop");
    }

    private CompletableFuture<Long> taken(String what) {
      done.add(what);
      snapshot = applied;
      return CompletableFuture.completedFuture(applied);
    }

    @Override
    public void snapshotFinished(long index) {
      done.add("finished " + index);
    }
  }

  /** What is done in so many seconds, with a look at each. */
  private List<String> in(int seconds) {
    for (int i = 0; i < seconds; i++) {
      clock.addAndGet(TimeUnit.SECONDS.toNanos(1));
      upkeep.visit();
    }
    List<String> done = List.copyOf(group.done);
    group.done.clear();
    return done;
  }

  @Test
  void aSnapshotIsTakenOfALongLogOrAfterTenMinutes() {
    assertEquals(List.of(), in(599));
    assertEquals(List.of("snapshot", "finished 1"), in(2));
    assertEquals(List.of(), in(1000), "nothing new");
    group.applied = 2;
    assertEquals(List.of("snapshot", "finished 2"), in(601));
    group.applied = 3;
    assertEquals(List.of(), in(10));
    group.logBytes = 256 << 20;
    assertEquals(List.of("snapshot", "finished 3"), in(2));
  }

  @Test
  void whenTheDiskHasLittleRoomEverythingNewIsTakenSoonAndTheLogGoes() {
    isShort.set(true);
    assertEquals(List.of(), in(9));
    assertEquals(List.of("snapshot and drop", "finished 1"), in(2));
    assertEquals(List.of(), in(100), "nothing new");
    group.applied = 2;
    assertEquals(List.of("snapshot and drop", "finished 2"), in(11));
    List<String> done = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      group.applied++;
      done.addAll(in(1));
    }
    assertEquals(3, done.stream().filter("snapshot and drop"::equals).count(), done::toString);
    group.applied++;
    isShort.set(false);
    done = in(100);
    assertEquals(0, done.stream().filter(what -> what.startsWith("snap")).count(), done::toString);
  }

  @Test
  void whatHasStoppedIsStartedAgainUnlessItIsNotTo() {
    group.error = "no space left on device";
    assertEquals(List.of("stop", "start"), in(3));
    group.mayRestart = false;
    assertEquals(List.of(), in(100));
  }
}
