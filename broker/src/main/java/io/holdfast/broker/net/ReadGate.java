package io.holdfast.broker.net;

import io.netty.channel.ChannelConfig;
import java.util.EnumSet;
import java.util.Set;

/**
 * Whether a connection is read from: the set of reasons not to, open when there is none. Whoever
 * has a reason closes it for that reason and opens it again when the reason is gone; nobody else
 * touches the connection's auto-read.
 *
 * <p>Owned by the connection's event loop.
 */
public final class ReadGate {
  /** Why nothing is read. */
  public enum Reason {
    /** A command waits for other threads. */
    COMMAND,
    /** A TLS handshake is under way: no command runs, but TLS reads the socket. */
    HANDSHAKE,
    /** The command that arrives waits for memory to be received into. */
    ROOM,
    /** The client does not read what it is sent. */
    OUTPUT,
    /** What it answers messages with is not taken as fast. */
    SOURCE,
    /** Very many replies wait for the disk. */
    REPLIES,
    /** What has come is not decompressed yet. */
    DECOMPRESSION,
    /** The client has ended its direction. */
    ENDED
  }

  private static final Set<Reason> RUNNING =
      EnumSet.of(Reason.COMMAND, Reason.HANDSHAKE, Reason.ROOM);

  private final ChannelConfig config;
  private final Runnable onOpen;
  private final EnumSet<Reason> reasons = EnumSet.noneOf(Reason.class);
  private boolean draining;

  /**
   * @param config of the connection, whose auto-read is on
   * @param onOpen run when the connection is read from again
   */
  public ReadGate(ChannelConfig config, Runnable onOpen) {
    this.config = config;
    this.onOpen = onOpen;
  }

  /** Nothing is read while this reason lasts. */
  public void close(Reason reason) {
    set(reason, true);
  }

  /** The reason is gone. */
  public void open(Reason reason) {
    set(reason, false);
  }

  /** Closes for the reason, or opens. */
  public void set(Reason reason, boolean isClosed) {
    if (isClosed ? reasons.add(reason) : reasons.remove(reason)) {
      apply();
    }
  }

  private void apply() {
    boolean reads = draining || reasons.isEmpty() || isOnly(Reason.HANDSHAKE);
    if (reads == config.isAutoRead()) {
      return;
    }
    if (reads) {
      onOpen.run();
    }
    config.setAutoRead(reads);
  }

  /** Reads from now on whatever the reasons: what comes is thrown away. */
  public void drain() {
    draining = true;
    apply();
  }

  /** Whether {@link #drain} was called. */
  public boolean isDraining() {
    return draining;
  }

  /** Whether there is any reason, even if it is read all the same. */
  public boolean isClosed() {
    return !reasons.isEmpty();
  }

  /** Whether it is closed for this reason. */
  public boolean isClosedFor(Reason reason) {
    return reasons.contains(reason);
  }

  /** Whether it is closed for another reason than this one. */
  public boolean isClosedBesides(Reason reason) {
    return !reasons.isEmpty() && !isOnly(reason);
  }

  private boolean isOnly(Reason reason) {
    return reasons.size() == 1 && reasons.contains(reason);
  }

  /** Whether commands may run: none waits, for other threads or for room. */
  public boolean mayRun() {
    if (reasons.isEmpty()) {
      return true;
    }
    for (Reason reason : RUNNING) {
      if (reasons.contains(reason)) {
        return false;
      }
    }
    return true;
  }
}
