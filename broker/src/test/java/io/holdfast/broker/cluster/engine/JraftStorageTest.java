package io.holdfast.broker.cluster.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.PeerId;
import com.alipay.sofa.jraft.entity.codec.v2.LogEntryV2CodecFactory;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.util.Endpoint;
import io.holdfast.storage.files.LastStop;
import io.holdfast.storage.raft.RaftEntry;
import io.holdfast.storage.raft.RaftLog;
import io.holdfast.storage.raft.VoteFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What JRaft expects of its log and its vote, as its own tests of its own storage say. */
class JraftStorageTest {
  @TempDir Path dir;
  private GroupFiles files;
  private RaftLog log;
  private JraftLogStorage storage;
  private ConfigurationManager configurations;

  @BeforeEach
  void create() throws IOException {
    files = GroupDirs.files(dir.resolve("g"), LastStop.CLEAN);
    files.create();
    open(files);
  }

  @AfterEach
  void close() throws IOException {
    log.close();
  }

  private void open(GroupFiles from) throws IOException {
    log = from.openLog(from.openVote().term());
    storage = new JraftLogStorage(log);
    configurations = new ConfigurationManager();
    LogStorageOptions options = new LogStorageOptions();
    options.setConfigurationManager(configurations);
    options.setLogEntryCodecFactory(LogEntryV2CodecFactory.getInstance());
    assertTrue(storage.init(options));
  }

  private void reopen() throws IOException {
    log.close();
    open(files);
  }

  private static LogEntry entry(long index, long term) {
    LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_DATA);
    entry.setId(new LogId(index, term));
    entry.setData(ByteBuffer.wrap(("entry " + index).getBytes(StandardCharsets.UTF_8)));
    return entry;
  }

  private static LogEntry change(long index, long term, String... peers) {
    LogEntry entry = new LogEntry(EntryType.ENTRY_TYPE_CONFIGURATION);
    entry.setId(new LogId(index, term));
    List<PeerId> list = new ArrayList<>();
    for (String peer : peers) {
      list.add(PeerId.parsePeer(peer));
    }
    entry.setPeers(list);
    return entry;
  }

  private void append(long from, long to, long term) {
    List<LogEntry> entries = new ArrayList<>();
    for (long index = from; index <= to; index++) {
      entries.add(entry(index, term));
    }
    assertEquals(entries.size(), storage.appendEntries(entries));
  }

  private void assertHas(long first, long last) {
    assertEquals(first, storage.getFirstLogIndex());
    assertEquals(last, storage.getLastLogIndex());
    assertNull(storage.getEntry(first - 1));
    assertNull(storage.getEntry(last + 1));
    for (long index = first; index <= last; index++) {
      LogEntry entry = storage.getEntry(index);
      assertEquals(index, entry.getId().getIndex());
      assertEquals(storage.getTerm(index), entry.getId().getTerm());
      assertEquals(entry(index, 1).getData(), entry.getData());
    }
  }

  @Test
  void anEmptyLog() throws Exception {
    assertEquals(1, storage.getFirstLogIndex());
    assertEquals(0, storage.getLastLogIndex());
    assertNull(storage.getEntry(1));
    assertEquals(0, storage.getTerm(1));
    reopen();
    assertEquals(1, storage.getFirstLogIndex());
    assertEquals(0, storage.getLastLogIndex());
  }

  @Test
  void appendsAreThereAfterAKill() throws Exception {
    assertTrue(storage.appendEntry(entry(1, 1)));
    append(2, 100, 1);
    append(101, 120, 7);
    assertHas(1, 120);
    assertEquals(1, storage.getTerm(100));
    assertEquals(7, storage.getTerm(101));
    GroupDirs.copy(dir.resolve("g"), dir.resolve("killed"));
    log.close();
    open(GroupDirs.files(dir.resolve("killed"), LastStop.PROCESS_DIED));
    assertHas(1, 120);
  }

  @Test
  void aGapIsRefused() {
    append(1, 10, 1);
    assertEquals(0, storage.appendEntries(List.of(entry(12, 1))));
    assertTrue(storage.failure().contains("12"), storage.failure());
    assertHas(1, 10);
  }

  @Test
  void theBeginningGoesAndTheEndIsCut() throws Exception {
    append(1, 50, 1);
    assertTrue(storage.truncatePrefix(11));
    assertHas(11, 50);
    assertTrue(storage.truncatePrefix(5), "nothing to do");
    assertTrue(storage.truncateSuffix(40));
    assertHas(11, 40);
    append(41, 45, 2);
    assertEquals(2, storage.getTerm(41));
    reopen();
    assertHas(11, 45);
    assertFalse(storage.truncateSuffix(3), "before the beginning");
  }

  @Test
  void aSnapshotAheadOfTheLogEmptiesIt() throws Exception {
    append(1, 10, 1);
    assertTrue(storage.truncatePrefix(100));
    assertEquals(100, storage.getFirstLogIndex());
    assertEquals(99, storage.getLastLogIndex());
    long bytes = log.bytes();
    // As JRaft does at each start.
    assertTrue(storage.truncatePrefix(100));
    assertEquals(bytes, log.bytes());
    reopen();
    assertEquals(100, storage.getFirstLogIndex());
    assertEquals(99, storage.getLastLogIndex());
    append(100, 110, 3);
    assertHas(100, 110);
  }

  @Test
  void aResetKeepsNothing() throws Exception {
    append(1, 20, 1);
    assertTrue(storage.reset(11));
    assertEquals(11, storage.getFirstLogIndex());
    assertEquals(10, storage.getLastLogIndex());
    assertNull(storage.getEntry(11));
    append(11, 15, 5);
    reopen();
    assertHas(11, 15);
    assertEquals(5, storage.getTerm(11));
    assertFalse(storage.reset(0));
  }

  @Test
  void configurationsAreFoundAtInit() throws Exception {
    append(1, 5, 1);
    LogEntry joint = change(6, 1, "localhost:1", "localhost:2");
    joint.setOldPeers(List.of(PeerId.parsePeer("localhost:1")));
    assertEquals(1, storage.appendEntries(List.of(joint)));
    append(7, 9, 1);
    assertEquals(1, storage.appendEntries(List.of(change(10, 2, "localhost:2:1"))));
    reopen();
    assertEquals(new LogId(10, 2), configurations.getLastConfiguration().getId());
    assertEquals(
        new Configuration(List.of(new PeerId(new Endpoint("localhost", 2), 1))),
        configurations.getLastConfiguration().getConf());
    assertEquals(new LogId(6, 1), configurations.get(9).getId());
    assertEquals(2, configurations.get(9).getConf().size());
    assertEquals(1, configurations.get(9).getOldConf().size());
    assertTrue(configurations.get(5).isEmpty());
  }

  @Test
  void votesAreKept() throws Exception {
    JraftVoteStorage votes = new JraftVoteStorage(files.openVote(), log, each -> "b");
    assertEquals(0, votes.getTerm());
    assertTrue(votes.getVotedFor().isEmpty());
    PeerId peer = new PeerId("10.0.0.2", 4160, 3);
    assertTrue(votes.setTermAndVotedFor(4, new PeerId()));
    assertTrue(votes.setVotedFor(peer));
    votes = new JraftVoteStorage(files.openVote(), log, each -> "b");
    assertEquals(4, votes.getTerm());
    assertEquals(peer, votes.getVotedFor());
    assertTrue(votes.setTerm(5));
    assertTrue(votes.getVotedFor().isEmpty());
    assertTrue(votes.setTermAndVotedFor(6, peer));
    VoteFile file = files.openVote();
    assertEquals(6, file.term());
    assertEquals("b 10.0.0.2:4160:3", file.vote());
    // As it was before names were in it: the same vote is the same.
    file.set(7, "10.0.0.2:4160:3");
    votes = new JraftVoteStorage(files.openVote(), log, each -> "b");
    assertEquals(peer, votes.getVotedFor());
    assertTrue(votes.setTermAndVotedFor(7, peer));
    assertEquals("10.0.0.2:4160:3", files.openVote().vote());
  }

  @Test
  void noVoteWhileEntriesMayBeMissing() throws Exception {
    append(1, 10, 3);
    append(11, 12, 3);
    files.openVote().set(3, "");
    GroupDirs.copy(dir.resolve("g"), dir.resolve("torn"));
    GroupDirs.damage(dir.resolve("torn"), "entry 12");
    GroupFiles torn = GroupDirs.files(dir.resolve("torn"), LastStop.MACHINE_STOPPED);
    // As if the file that says how far it was forced had not been written yet.
    GroupDirs.forgetEnd(dir.resolve("torn"));
    log.close();
    open(torn);
    assertEquals(11, storage.getLastLogIndex());
    assertTrue(log.doubtfulTo() >= 12);
    JraftVoteStorage votes = new JraftVoteStorage(torn.openVote(), log, each -> "b");
    PeerId peer = new PeerId("10.0.0.2", 4160);
    assertFalse(votes.mayVote());
    assertFalse(votes.setTermAndVotedFor(4, peer));
    assertEquals(4, torn.openVote().term(), "the term counts");
    assertEquals("", torn.openVote().vote());
    assertFalse(votes.setVotedFor(peer));
    // A leader of a later term has got here: it has all that was ever committed.
    log.append(List.of(new RaftEntry(12, 5, ByteBuffer.wrap(new byte[] {1}))));
    log.force();
    assertTrue(votes.mayVote());
    assertTrue(votes.setTermAndVotedFor(6, peer));
    assertEquals("b 10.0.0.2:4160", torn.openVote().vote());
  }
}
