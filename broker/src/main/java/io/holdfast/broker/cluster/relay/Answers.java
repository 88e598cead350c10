package io.holdfast.broker.cluster.relay;

import io.holdfast.broker.queue.Outcome;
import java.util.function.Supplier;

/**
 * Brings what a client answers to whoever has given it the message; answers for former leaders
 * itself. Owned by the client's thread.
 */
final class Answers {
  private final HeldMessages held;
  private final Supplier<Attachment> attachment;
  private final Runnable onRoom;

  /**
   * @param attachment the present one, null for none
   * @param onRoom run when the client holds less of former leaders
   */
  Answers(HeldMessages held, Supplier<Attachment> attachment, Runnable onRoom) {
    this.held = held;
    this.attachment = attachment;
    this.onRoom = onRoom;
  }

  /** FIN. */
  void finish(long[] ids, int count, Outcome[] outcomes) {
    long[] asked = new long[count];
    int[] places = new int[count];
    int asking = 0;
    for (int i = 0; i < count; i++) {
      if (isAsked(ids[i])) {
        places[asking] = i;
        asked[asking++] = ids[i];
      } else {
        outcomes[i] = Outcome.NOT_IN_FLIGHT;
        ofFormer(ids[i]);
      }
    }
    if (asking > 0) {
      Outcome[] answers = new Outcome[asking];
      attachment.get().finish(asked, asking, answers);
      for (int i = 0; i < asking; i++) {
        outcomes[places[i]] = answers[i];
      }
    }
  }

  /** REQ. */
  Outcome requeue(long id, long delayMs) {
    if (isAsked(id)) {
      return attachment.get().requeue(id, delayMs);
    }
    ofFormer(id);
    return Outcome.NOT_IN_FLIGHT;
  }

  /** TOUCH. */
  Outcome touch(long id) {
    return isAsked(id) ? attachment.get().touch(id) : Outcome.NOT_IN_FLIGHT;
  }

  /** Whether the present leader has a say in a message. */
  private boolean isAsked(long id) {
    Attachment now = attachment.get();
    return now != null && (held.isPresent(id) || (now.knowsAll() && !held.isFormer(id)));
  }

  private void ofFormer(long id) {
    if (held.answeredFormer(id)) {
      onRoom.run();
    }
  }
}
