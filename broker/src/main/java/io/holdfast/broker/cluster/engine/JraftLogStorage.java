package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.conf.Configuration;
import com.alipay.sofa.jraft.conf.ConfigurationEntry;
import com.alipay.sofa.jraft.conf.ConfigurationManager;
import com.alipay.sofa.jraft.entity.EnumOutter.EntryType;
import com.alipay.sofa.jraft.entity.LogEntry;
import com.alipay.sofa.jraft.entity.LogId;
import com.alipay.sofa.jraft.entity.codec.LogEntryDecoder;
import com.alipay.sofa.jraft.entity.codec.LogEntryEncoder;
import com.alipay.sofa.jraft.option.LogStorageOptions;
import com.alipay.sofa.jraft.storage.LogStorage;
import io.holdfast.storage.files.Reasons;
import io.holdfast.storage.raft.RaftEntry;
import io.holdfast.storage.raft.RaftLog;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A {@link RaftLog} as JRaft wants its log: what an append returned for is on disk. A call that the
 * disk refuses is answered with "none", which stops the node; {@link #failure} says why.
 *
 * <p>An empty log ends one below its first index, also when that is not 1: a snapshot may be ahead
 * of it. {@link #reset} keeps no entry, as JRaft's own storage does to remember the index.
 */
final class JraftLogStorage implements LogStorage {
  private static final Logger LOG = LoggerFactory.getLogger(JraftLogStorage.class);

  private final RaftLog log;
  private LogEntryEncoder encoder;
  private LogEntryDecoder decoder;
  private volatile String failure;

  /**
   * @param log open; closed by the caller, when JRaft has stopped
   */
  JraftLogStorage(RaftLog log) {
    this.log = log;
  }

  /** Why the disk refused, null when it did not. */
  String failure() {
    return failure;
  }

  private void failed(String doing, Exception e) {
    failure = Reasons.of(e);
    LOG.error("{}: {} failed: {}", log.dir(), doing, failure);
  }

  @Override
  public boolean init(LogStorageOptions options) {
    encoder = options.getLogEntryCodecFactory().encoder();
    decoder = options.getLogEntryCodecFactory().decoder();
    ConfigurationManager configurations = options.getConfigurationManager();
    try {
      long last = log.lastIndex();
      for (long index = log.firstIndex(); index <= last; index++) {
        LogEntry entry = read(index);
        if (entry != null && entry.getType() == EntryType.ENTRY_TYPE_CONFIGURATION) {
          configurations.add(configuration(entry));
        }
      }
      return true;
    } catch (IOException e) {
      failed("reading", e);
      return false;
    }
  }

  private static ConfigurationEntry configuration(LogEntry entry) {
    Configuration old = new Configuration();
    if (entry.getOldPeers() != null) {
      old = new Configuration(entry.getOldPeers(), entry.getOldLearners());
    }
    return new ConfigurationEntry(
        new LogId(entry.getId().getIndex(), entry.getId().getTerm()),
        new Configuration(entry.getPeers(), entry.getLearners()),
        old);
  }

  @Override
  public void shutdown() {
    // Whoever opened the log closes it.
  }

  @Override
  public long getFirstLogIndex() {
    return log.firstIndex();
  }

  @Override
  public long getLastLogIndex() {
    return log.lastIndex();
  }

  @Override
  public LogEntry getEntry(long index) {
    try {
      return read(index);
    } catch (IOException e) {
      failed("reading", e);
      return null;
    }
  }

  private LogEntry read(long index) throws IOException {
    RaftEntry found = log.read(index);
    if (found == null) {
      return null;
    }
    ByteBuffer bytes = found.bytes();
    byte[] encoded = new byte[bytes.remaining()];
    bytes.get(encoded);
    LogEntry entry = decoder.decode(encoded);
    if (entry == null) {
      throw new IOException("entry " + index + " is none of the engine");
    }
    return entry;
  }

  @Override
  @SuppressWarnings("deprecation") // It has to be there.
  public long getTerm(long index) {
    return log.termAt(index);
  }

  @Override
  public boolean appendEntry(LogEntry entry) {
    return appendEntries(List.of(entry)) == 1;
  }

  @Override
  public int appendEntries(List<LogEntry> entries) {
    List<RaftEntry> encoded = new ArrayList<>(entries.size());
    for (LogEntry entry : entries) {
      encoded.add(
          new RaftEntry(
              entry.getId().getIndex(),
              entry.getId().getTerm(),
              ByteBuffer.wrap(encoder.encode(entry))));
    }
    try {
      log.append(encoded);
      log.force();
      return entries.size();
    } catch (IOException | IllegalArgumentException e) {
      failed("appending", e);
      return 0;
    }
  }

  @Override
  public boolean truncatePrefix(long firstIndexKept) {
    try {
      if (firstIndexKept != log.firstIndex()) {
        log.truncatePrefix(firstIndexKept);
      }
      return true;
    } catch (IOException e) {
      failed("dropping the beginning", e);
      return false;
    }
  }

  @Override
  public boolean truncateSuffix(long lastIndexKept) {
    try {
      log.truncateSuffix(lastIndexKept);
      return true;
    } catch (IOException | IllegalArgumentException e) {
      failed("cutting the end", e);
      return false;
    }
  }

  @Override
  public boolean reset(long nextLogIndex) {
    try {
      log.reset(nextLogIndex);
      return true;
    } catch (IOException | IllegalArgumentException e) {
      failed("beginning anew", e);
      return false;
    }
  }
}
