package io.holdfast.storage.log;

import io.holdfast.storage.values.Position;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Says where a log's chain of records is broken: to a listener each place once in a row, else to
 * the log one line a file, as there can be thousands. Not thread-safe.
 */
public final class ChainBreaks {
  private static final Logger LOG = LoggerFactory.getLogger(ExcerptReader.class);

  private final LogFiles files;
  private Listener listener;

  /** What was told of last. */
  private long reported = -1;

  /** Told where the chain of records is broken. */
  public interface Listener {
    /**
     * @param at where the next record should begin, see {@link Position}
     */
    void broken(long at, String what);
  }

  ChainBreaks(LogFiles files) {
    this.files = files;
  }

  void tell(Listener of) {
    listener = of;
  }

  boolean hasListener() {
    return listener != null;
  }

  void report(long at, String what) {
    if (listener != null) {
      if (at != reported) {
        reported = at;
        listener.broken(at, what);
      }
    } else if (Position.cycle(reported) != Position.cycle(at)) {
      reported = at;
      LOG.error("{}: {}", files.where(at), what);
    }
  }
}
