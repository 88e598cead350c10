package io.holdfast.broker.cluster.forward;

import io.holdfast.broker.queue.PublishListener;
import java.util.concurrent.CompletableFuture;

/** What a client was told of a publish. */
public final class Told implements PublishListener {
  /** The answer, when there is one. */
  public final CompletableFuture<String> answer = new CompletableFuture<>();

  @Override
  public void onDurable() {
    answer.complete("OK");
  }

  @Override
  public void onFailed(String error) {
    answer.complete("failed: " + error);
  }

  @Override
  public void onRefused(String error) {
    answer.complete("refused: " + error);
  }

  @Override
  public void onUnknown(String error) {
    answer.complete("unknown: " + error);
  }

  /** null when nothing was told yet. */
  String now() {
    return answer.getNow(null);
  }
}
