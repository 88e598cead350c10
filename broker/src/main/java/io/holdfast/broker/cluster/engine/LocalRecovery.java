package io.holdfast.broker.cluster.engine;

import io.holdfast.storage.raft.RaftEntry;
import io.holdfast.storage.raft.RaftLog;
import java.io.IOException;

/**
 * What a {@link LocalGroup} does before anything else: the newest snapshot, and the log behind it.
 *
 * @param applied index of the last entry that is applied
 * @param appliedTerm its term
 * @param snapshot up to here the snapshot has everything
 */
record LocalRecovery(long applied, long appliedTerm, long snapshot) {
  static LocalRecovery run(
      GroupFiles files, LocalSnapshots snapshots, RaftLog log, GroupMember member)
      throws IOException {
    LocalSnapshots.Found newest = snapshots.open();
    if (log.firstIndex() > newest.index() + 1) {
      throw new IOException(
          "snapshot missing: the log of "
              + files.dir()
              + " begins with entry "
              + log.firstIndex()
              + ", and the snapshot ends with "
              + newest.index());
    }
    if (newest.dir() != null) {
      member.load(newest.dir());
    }
    if (log.lastIndex() < newest.index()) {
      log.truncatePrefix(newest.index() + 1);
    }
    long term = newest.term();
    long last = log.lastIndex();
    for (long index = newest.index() + 1; index <= last; index++) {
      RaftEntry entry = log.read(index);
      member.apply(index, entry.term(), entry.bytes());
      term = entry.term();
    }
    member.endOfRun();
    return new LocalRecovery(last, term, newest.index());
  }
}
