package io.holdfast.broker.http;

import io.holdfast.broker.limits.OutputBudget;

/**
 * One HTTP connection's part of the replies that clients have not taken yet. Owned by the
 * connection's event loop.
 */
final class ReplyRoom {
  /** A reply up to this size is written without asking, bytes. */
  private static final int FREE_BYTES = 16 * 1024;

  private final OutputBudget budget;
  private long countedBytes;

  ReplyRoom(OutputBudget budget) {
    this.budget = budget;
  }

  /** The reply, or a small one instead when replies that nobody takes fill the memory for them. */
  HttpReply admit(HttpReply reply) {
    long bytes = reply.body().length;
    if (bytes <= FREE_BYTES) {
      return reply;
    }
    if (!budget.tryAdd(bytes)) {
      return HttpReply.error(HttpError.exiting());
    }
    countedBytes = bytes;
    return reply;
  }

  /** The reply was taken, or never will be. */
  void release() {
    budget.change(countedBytes, 0);
    countedBytes = 0;
  }
}
