package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.queue.DeliverySink;
import io.holdfast.broker.queue.Outcome;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;

/** Where a subscription gets its messages from now. Owned by the client's thread. */
interface Attachment {
  /**
   * How many messages may be given to the client now.
   *
   * @param ready how many it takes
   */
  long room(long ready);

  /** See {@link io.holdfast.broker.queue.MessageSource#poll}; notes what the client holds. */
  int poll(int max, DeliverySink out, int maxBytes) throws IOException;

  /** See {@link io.holdfast.broker.queue.MessageSource#wakeAnother}. */
  void wakeAnother();

  /** Giving out messages failed. */
  void readFailed(IOException cause);

  /** Whether it is to be asked about a message that the client does not hold. */
  boolean knowsAll();

  /** FIN. */
  void finish(long[] ids, int count, Outcome[] outcomes);

  /** REQ. */
  Outcome requeue(long id, long delayMs);

  /** TOUCH. */
  Outcome touch(long id);

  /** The client takes so many messages. */
  void ready(long count);

  /** See {@link io.holdfast.broker.queue.MessageSource#stopped}. */
  CompletableFuture<Void> stop();

  /** See {@link io.holdfast.broker.queue.MessageSource#behind}. */
  CompletableFuture<Void> behind();

  /** Nothing more is to be given to the client from here; what it holds of it comes back. */
  void leave();
}
