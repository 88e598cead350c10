package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.entity.RaftOutter.SnapshotMeta;
import com.alipay.sofa.jraft.error.RetryAgainException;
import com.alipay.sofa.jraft.option.RaftOptions;
import com.alipay.sofa.jraft.storage.FileService;
import com.alipay.sofa.jraft.storage.snapshot.Snapshot;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.SnapshotWriter;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotMetaTable;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotReader;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotStorage;
import com.alipay.sofa.jraft.storage.snapshot.local.LocalSnapshotWriter;
import com.alipay.sofa.jraft.storage.snapshot.local.SnapshotFileReader;
import com.alipay.sofa.jraft.util.ByteBufferCollector;
import com.alipay.sofa.jraft.util.Endpoint;
import com.google.protobuf.Message;
import io.holdfast.storage.files.DurableFiles;
import io.holdfast.storage.files.NoSpaceException;
import io.holdfast.storage.group.SnapshotSeal;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Snapshots as JRaft keeps them, but what it writes itself gets a checksum, and of what is sent to
 * others each file ends with its data: the newest file of a journal is as long as its mapping, and
 * most of it a hole.
 */
final class JraftSnapshotStorage extends LocalSnapshotStorage {
  private final RaftOptions options;
  private final GroupFiles files;
  private Endpoint address;

  JraftSnapshotStorage(String path, RaftOptions options, GroupFiles files) {
    super(path, null, options);
    this.options = options;
    this.files = files;
  }

  @Override
  public SnapshotWriter create(boolean fromEmpty) {
    SnapshotWriter made = super.create(fromEmpty);
    // Without a directory JRaft stops the group. It has said why in its log only.
    if (made == null && files.makeRoom().test(new NoSpaceException("no space left on device"))) {
      made = super.create(fromEmpty);
    }
    if (made == null) {
      return null;
    }
    // JRaft's has only looked at what there is.
    Writer writer = new Writer(made.getPath());
    return writer.init(null) ? writer : null;
  }

  /** As JRaft's, and seals what that has written. */
  private final class Writer extends LocalSnapshotWriter {
    Writer(String path) {
      super(path, JraftSnapshotStorage.this, options);
    }

    @Override
    public boolean sync() throws IOException {
      try {
        return writeOwn();
      } catch (IOException e) {
        if (!NoSpaceException.isCauseOf(e) || !files.makeRoom().test(e)) {
          throw e;
        }
        return writeOwn();
      }
    }

    private boolean writeOwn() throws IOException {
      boolean done = super.sync();
      if (done) {
        SnapshotSeal.write(files.disk(), Path.of(getPath()));
      }
      return done;
    }
  }

  @Override
  public void setServerAddr(Endpoint to) {
    super.setServerAddr(to);
    address = to;
  }

  @Override
  public SnapshotReader open() {
    SnapshotReader reader = super.open();
    return reader == null ? null : new Reader(reader);
  }

  /**
   * As JRaft's, which whoever gets a snapshot asks for; its files are read by {@link FileReader}.
   */
  private final class Reader extends LocalSnapshotReader {
    private final SnapshotReader reader;

    /** At JRaft's service for files; 0 for not yet. */
    private long number;

    Reader(SnapshotReader reader) {
      super(JraftSnapshotStorage.this, null, address, options, reader.getPath());
      this.reader = reader;
    }

    @Override
    public boolean init(Void nothing) {
      return true;
    }

    @Override
    public SnapshotMeta load() {
      return reader.load();
    }

    @Override
    public synchronized String generateURIForCopy() {
      if (number == 0) {
        try {
          number = FileService.getInstance().addReader(new FileReader(reader.getPath(), options));
        } catch (IOException e) {
          return null;
        }
      }
      return Snapshot.REMOTE_SNAPSHOT_URI_SCHEME + address + "/" + number;
    }

    @Override
    public Set<String> listFiles() {
      return reader.listFiles();
    }

    @Override
    public Message getFileMeta(String name) {
      return reader.getFileMeta(name);
    }

    @Override
    public String getPath() {
      return reader.getPath();
    }

    @Override
    public synchronized void close() throws IOException {
      if (number != 0) {
        FileService.getInstance().removeReader(number);
        number = 0;
      }
      reader.close();
    }

    @Override
    public void shutdown() {
      reader.shutdown();
    }
  }

  /** Reads files up to where their data ended when they were first asked for. */
  static final class FileReader extends SnapshotFileReader {
    private final Map<String, Long> ends = new HashMap<>();

    /**
     * @param path the snapshot's directory
     * @throws IOException when there is none
     */
    FileReader(String path, RaftOptions options) throws IOException {
      super(path, null);
      LocalSnapshotMetaTable table = new LocalSnapshotMetaTable(options);
      String file = Path.of(path, Snapshot.JRAFT_SNAPSHOT_META_FILE).toString();
      if (!table.loadFromFile(file)) {
        throw new IOException(file + " cannot be read");
      }
      setMetaTable(table);
    }

    @Override
    public synchronized int readFile(
        ByteBufferCollector to, String name, long offset, long maxCount) throws IOException {
      if (name.equals(Snapshot.JRAFT_SNAPSHOT_META_FILE)) {
        return read(to, name, offset, maxCount);
      }
      long left = end(name) - offset;
      if (left <= 0) {
        return EOF;
      }
      int count = read(to, name, offset, Math.min(left, maxCount));
      return count == left ? EOF : count;
    }

    private int read(ByteBufferCollector to, String name, long offset, long count)
        throws IOException {
      try {
        return super.readFile(to, name, offset, count);
      } catch (RetryAgainException e) {
        // Only of a throttle, and there is none.
        throw new IOException(e);
      }
    }

    private long end(String name) throws IOException {
      Long known = ends.get(name);
      if (known == null) {
        known = DurableFiles.dataEnd(Path.of(getPath(), name));
        ends.put(name, known);
      }
      return known;
    }
  }
}
