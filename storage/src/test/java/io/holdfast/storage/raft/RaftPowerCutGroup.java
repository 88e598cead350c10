package io.holdfast.storage.raft;

import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.files.ShadowDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * A group's log and vote file at work in one directory: a random step at a time it appends, forces,
 * cuts at either end, votes, restarts, and has forces refused. One thread.
 */
final class RaftPowerCutGroup {
  /** How large entries are. */
  enum Sizes {
    /** Many in a page. */
    SMALL(200),
    /** Several pages each. */
    LARGE(12_000);

    private final int usualBytes;

    Sizes(int usualBytes) {
      this.usualBytes = usualBytes;
    }
  }

  private static final RaftLogOptions OPTIONS = new RaftLogOptions(64 << 10, 256 << 10);
  private static final int LARGEST_BYTES = 40 << 10;
  private static final String[] NODES = {"", "a", "b", "c"};

  private final Sizes sizes;
  private final Random random;
  private final Path root;
  private final ShadowDisk disk;
  private final List<RaftLog> dead = new ArrayList<>();

  private RaftModel model;
  private RaftLog log;
  private VoteFile votes;

  // The vote that is certain, and the one that is being written.
  private long term;
  private String vote = "";
  private long newTerm;
  private String newVote = "";

  /** A new group. */
  RaftPowerCutGroup(Path root, ShadowDisk disk, Sizes sizes, Random random) throws IOException {
    this.root = root;
    this.disk = disk;
    this.sizes = sizes;
    this.random = random;
    model = new RaftModel();
    DurableFiles.createDirectory(disk, logDir());
    votes = VoteFile.create(voteFile(), disk);
    log = RaftLog.create(logDir(), disk, OPTIONS);
  }

  /** What a power cut left of another one: compares it with what it may have left. */
  RaftPowerCutGroup(RaftPowerCutGroup of, Path root, ShadowDisk disk, Random random)
      throws IOException {
    this.root = root;
    this.disk = disk;
    this.random = random;
    sizes = of.sizes;
    votes = VoteFile.open(voteFile(), disk);
    boolean isOld = votes.term() == of.term && votes.vote().equals(of.vote);
    boolean isNew = votes.term() == of.newTerm && votes.vote().equals(of.newVote);
    if (!isOld && !isNew) {
      throw new AssertionError("vote of " + of.term + ", found " + votes.term());
    }
    term = votes.term();
    vote = votes.vote();
    newTerm = term;
    newVote = vote;
    boolean wasDoubtful = of.log.doubtfulTo() > 0;
    log = RaftLog.open(logDir(), disk, OPTIONS, LastStop.MACHINE_STOPPED, votes.term());
    model = of.model.afterPowerCut(log);
    if (log.doubtfulTo() > 0 && of.model.isCertain() && !wasDoubtful) {
      throw new AssertionError("all was forced, but " + log.doubtfulTo() + " is in doubt");
    }
  }

  private Path logDir() {
    return root.resolve("log");
  }

  private Path voteFile() {
    return root.resolve("vote");
  }

  Path root() {
    return root;
  }

  ShadowDisk disk() {
    return disk;
  }

  /** Leaves everything as the death of the process does. */
  void die() {
    dead.add(log);
  }

  /** Closes what {@link #die} left, when nobody uses the files any more. */
  void bury() throws IOException {
    for (RaftLog left : dead) {
      left.abandon();
    }
  }

  /** What was recovered can be worked with, and what is done to it is there at the next starts. */
  void use() throws IOException {
    append(1 + random.nextInt(4));
    restart(false);
    append(1 + random.nextInt(4));
    conflict();
    force();
    restart(true);
    for (int i = 0; i < 4; i++) {
      step();
    }
    restart(false);
  }

  void step() throws IOException {
    int kind = random.nextInt(100);
    if (kind < 40) {
      append(1 + random.nextInt(8));
    } else if (kind < 60) {
      force();
    } else if (kind < 75) {
      conflict();
    } else if (kind < 83) {
      truncatePrefix();
    } else if (kind < 85) {
      reset();
    } else if (kind < 92) {
      castVote();
    } else if (kind < 97) {
      restart(random.nextBoolean());
    } else {
      refuse();
    }
  }

  private void append(int count) throws IOException {
    append(model.now().last() + 1, count);
  }

  private void append(long from, int count) throws IOException {
    long of = Math.max(model.now().lastTerm(), term);
    List<RaftEntry> entries = new ArrayList<>();
    for (long index = from; index < from + count; index++) {
      int kind = random.nextInt(20);
      int largest = kind == 0 ? LARGEST_BYTES : kind == 1 ? 1 : sizes.usualBytes;
      int length = random.nextInt(largest);
      entries.add(
          new RaftEntry(index, of, RaftModel.bytes(index, of, length, random.nextBoolean())));
    }
    model.append(entries);
    log.append(entries);
  }

  /** Entries of a new leader take the place of the last ones. */
  private void conflict() throws IOException {
    RaftModel.Entries now = model.now();
    long from = Math.max(now.first(), now.last() + 1 - random.nextInt(12));
    castVote();
    if (random.nextBoolean()) {
      model.truncateSuffix(from - 1);
      log.truncateSuffix(from - 1);
      if (random.nextInt(4) == 0) {
        return;
      }
    }
    append(from, 1 + random.nextInt(6));
  }

  private void truncatePrefix() throws IOException {
    RaftModel.Entries now = model.now();
    long to = now.first() + random.nextInt((int) (now.last() - now.first()) + 3);
    // As after a snapshot that is ahead of the log.
    to += random.nextInt(8) == 0 ? 5 : 0;
    if (to > now.first() || to > now.last()) {
      model.truncatePrefix(to);
      log.truncatePrefix(to);
      model.forced();
    }
  }

  private void reset() throws IOException {
    RaftModel.Entries now = model.now();
    long next = now.first() + random.nextInt((int) (now.last() - now.first()) + 20);
    model.reset(next);
    log.reset(next);
    model.forced();
  }

  private void force() throws IOException {
    log.force();
    model.forced();
  }

  private void castVote() throws IOException {
    newTerm = term + 1;
    newVote = NODES[random.nextInt(NODES.length)];
    votes.set(newTerm, newVote);
    term = newTerm;
    vote = newVote;
  }

  private void restart(boolean clean) throws IOException {
    if (clean) {
      log.close();
      model.forced();
    } else {
      die();
    }
    reopen(clean ? LastStop.CLEAN : LastStop.PROCESS_DIED);
  }

  private void reopen(LastStop lastStop) throws IOException {
    votes = VoteFile.open(voteFile(), disk);
    if (votes.term() != term || !votes.vote().equals(vote)) {
      throw new AssertionError("vote of " + term + ", found " + votes.term());
    }
    log = RaftLog.open(logDir(), disk, OPTIONS, lastStop, term);
    model.requireAll(log);
    model.forced();
  }

  /** The disk refuses a force, and works again when the log is opened anew. */
  private void refuse() throws IOException {
    append(1 + random.nextInt(4));
    disk.refuses(path -> path.toString().contains(".cq4"));
    boolean refused = false;
    try {
      log.force();
    } catch (IOException e) {
      refused = true;
    } finally {
      disk.refuses(path -> false);
    }
    if (!refused) {
      throw new AssertionError("a force that was refused returned");
    }
    log.close();
    reopen(LastStop.PROCESS_DIED);
  }
}
