package io.holdfast.storage.files;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Map;
import java.util.NavigableSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;

/** The machine's disk with blocks that cannot be read, and a count of what is asked of it. */
public final class FaultyDisk extends Disk {
  public static final int BLOCK_BYTES = 4096;

  public final AtomicInteger opened = new AtomicInteger();
  public final AtomicInteger reads = new AtomicInteger();
  public final AtomicLong bytesRead = new AtomicLong();
  public final AtomicInteger forces = new AtomicInteger();
  private final Map<Path, NavigableSet<Long>> bad = new ConcurrentHashMap<>();

  private volatile Predicate<Path> refused = file -> false;

  /** Which forces of files fail. */
  public void refuses(Predicate<Path> which) {
    refused = which;
  }

  /** From now on the block with an offset cannot be read. */
  public void breakBlock(Path file, long offset) {
    bad.computeIfAbsent(file, f -> new ConcurrentSkipListSet<>())
        .add(offset / BLOCK_BYTES * BLOCK_BYTES);
  }

  @Override
  public FileChannel openToRead(Path file) throws IOException {
    opened.incrementAndGet();
    return super.openToRead(file);
  }

  /** As the kernel: what comes before the block is read, and the next call fails. */
  @Override
  public int read(Path file, FileChannel channel, ByteBuffer to, long offset) throws IOException {
    reads.incrementAndGet();
    Long block =
        bad.getOrDefault(file, new ConcurrentSkipListSet<>())
            .ceiling(offset / BLOCK_BYTES * BLOCK_BYTES);
    if (block == null || block >= offset + to.remaining()) {
      int count = super.read(file, channel, to, offset);
      bytesRead.addAndGet(Math.max(0, count));
      return count;
    }
    if (block <= offset) {
      throw new IOException("Input/output error");
    }
    int limit = to.limit();
    to.limit(to.position() + (int) (block - offset));
    try {
      return super.read(file, channel, to, offset);
    } finally {
      to.limit(limit);
    }
  }

  @Override
  public void force(Path file, boolean withSize) throws IOException {
    forces.incrementAndGet();
    if (refused.test(file)) {
      throw new IOException("Input/output error");
    }
    super.force(file, withSize);
  }

  @Override
  public void forceDirectory(Path dir) throws IOException {
    forces.incrementAndGet();
    super.forceDirectory(dir);
  }
}
