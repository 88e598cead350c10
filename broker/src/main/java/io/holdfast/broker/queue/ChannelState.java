package io.holdfast.broker.queue;

/** Where a channel is in its life. The channel's lock guards changes; any thread reads. */
final class ChannelState {
  /** Whether nothing is delivered until it goes on, also after a restart. */
  volatile boolean paused;

  /** Whether nothing more is delivered, as the broker is about to stop. */
  volatile boolean draining;

  /** Whether it is being deleted or the broker stops. */
  volatile boolean exiting;

  /** Whether it ends here because another broker has it from now on. */
  volatile boolean elsewhere;

  /** Whether messages go to consumers. */
  boolean isDelivering() {
    return !paused && !exiting && !draining;
  }
}
