package io.holdfast.broker;

import io.holdfast.storage.files.FileModes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the native calls on a thread of its own while the options are read: they take as long, and
 * need no option. Nobody else uses them before {@link FileModes#ownerOnly}, which waits for it.
 */
final class NativeCallsAhead {
  private static final Logger LOG = LoggerFactory.getLogger(NativeCallsAhead.class);

  private NativeCallsAhead() {}

  /** Begins; once, and before the options are read. */
  static void begin() {
    Thread thread = new Thread(NativeCallsAhead::load, "native-calls");
    thread.setDaemon(true);
    thread.start();
  }

  private static void load() {
    try {
      FileModes.ownerOnly();
    } catch (RuntimeException | LinkageError e) {
      // Whoever needs them meets it, too, and says it.
      LOG.debug("no native calls", e);
    }
  }
}
