package io.holdfast.broker;

import io.holdfast.broker.config.Options;
import io.holdfast.broker.topic.Topic;
import io.holdfast.storage.DataDir;
import java.io.IOException;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Refuses publishes before the disk is full: finishes and checkpoints need room too. Checked by the
 * housekeeping thread, asked by publishers.
 */
final class DiskGuard {
  private static final Logger LOG = LoggerFactory.getLogger(DiskGuard.class);

  /** On a small disk the default limit would refuse everything: there it is this part of it. */
  private static final int DEFAULT_LIMIT_PART = 10;

  private final DataDir dataDir;
  private final Options options;
  private volatile String refusal;

  DiskGuard(DataDir dataDir, Options options) {
    this.dataDir = dataDir;
    this.options = options;
  }

  /** Why nothing may be published now, null when it may. */
  String refusal() {
    return refusal;
  }

  void check(Collection<Topic> topics) {
    String now = find(topics);
    if (now != null && refusal == null) {
      LOG.error("publishing is refused: {}", now);
    } else if (now == null && refusal != null) {
      LOG.info("publishing is possible again");
    }
    refusal = now;
  }

  private String find(Collection<Topic> topics) {
    long limitBytes = options.diskFreeLimitBytes();
    if (limitBytes > 0) {
      try {
        if (limitBytes == Options.defaults().diskFreeLimitBytes()) {
          limitBytes = Math.min(limitBytes, dataDir.totalBytes() / DEFAULT_LIMIT_PART);
        }
        long usableBytes = dataDir.usableBytes();
        if (usableBytes < limitBytes) {
          return "disk is nearly full: "
              + usableBytes
              + " bytes free, disk-free-limit is "
              + limitBytes;
        }
      } catch (IOException e) {
        return "free disk space cannot be read: " + e.getMessage();
      }
    }
    long maxBytes = options.maxDiskBytes();
    if (maxBytes > 0) {
      long bytes = topics.stream().mapToLong(Topic::diskBytes).sum();
      if (bytes > maxBytes) {
        return "journals take " + bytes + " bytes on disk, max-disk-bytes is " + maxBytes;
      }
    }
    return null;
  }
}
