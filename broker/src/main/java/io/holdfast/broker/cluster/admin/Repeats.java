package io.holdfast.broker.cluster.admin;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Tells what was deleted or emptied a moment ago through another node: administrators such as
 * nsqadmin send each action to all nodes, and the later copies must neither fail nor drop what was
 * published since. Thread-safe; blocks for nothing.
 */
final class Repeats implements TopicRequests {
  /** How long it is remembered. */
  static final long KEPT_NS = TimeUnit.SECONDS.toNanos(2);

  /** At most so many; the oldest are forgotten. */
  static final int MAX = 1024;

  private static final Set<String> DELETIONS = Set.of("POST /topic/delete", "POST /channel/delete");
  private static final Set<String> EMPTYINGS = Set.of("POST /topic/empty", "POST /channel/empty");

  private final TopicRequests next;
  private final LongSupplier nanoTime;

  /** The newest of each; oldest first. */
  private final Map<Key, Done> newest = new LinkedHashMap<>();

  private record Key(String action, String topic, String channel) {}

  /** What a node has asked for. */
  private static final class Done {
    private final String node;

    /** Whether it worked; not done while that is not known. */
    private final CompletableFuture<Boolean> worked = new CompletableFuture<>();

    private volatile long doneNs;

    Done(String node) {
      this.node = node;
    }

    boolean isOver(long nowNs) {
      return worked.isDone() && nowNs - doneNs > KEPT_NS;
    }
  }

  /**
   * @param next does it
   */
  Repeats(TopicRequests next, LongSupplier nanoTime) {
    this.next = next;
    this.nanoTime = nanoTime;
  }

  @Override
  public void answer(String node, TopicRequest request, Consumer<TopicAnswer> told) {
    boolean isDeletion = DELETIONS.contains(request.action());
    if (!isDeletion && !EMPTYINGS.contains(request.action())) {
      next.answer(node, request, told);
      return;
    }
    Key key = new Key(request.action(), request.topic(), request.channel());
    Done mine = new Done(node);
    Done before;
    synchronized (newest) {
      before = find(key);
      if (before == null || before.node.equals(node)) {
        put(key, mine);
      }
    }
    if (before == null || before.node.equals(node)) {
      next.answer(node, request, answer -> end(key, mine, before, answer, told));
    } else {
      before.worked.thenAccept(
          worked -> {
            if (!worked) {
              answer(node, request, told);
            } else if (isDeletion) {
              next.answer(node, request, answer -> told.accept(found(answer)));
            } else {
              told.accept(TopicAnswer.done());
            }
          });
    }
  }

  /** It is gone, as was asked for. */
  private static TopicAnswer found(TopicAnswer answer) {
    return answer.status() == TopicAnswer.NOT_FOUND ? TopicAnswer.done() : answer;
  }

  private void end(
      Key key, Done mine, Done before, TopicAnswer answer, Consumer<TopicAnswer> told) {
    boolean worked = answer.status() == TopicAnswer.OK;
    mine.doneNs = nanoTime.getAsLong();
    synchronized (newest) {
      if (!worked && newest.get(key) == mine) {
        newest.remove(key);
        if (before != null && !before.isOver(mine.doneNs)) {
          put(key, before);
        }
      }
    }
    mine.worked.complete(worked);
    told.accept(answer);
  }

  /** Under {@link #newest}. */
  private Done find(Key key) {
    long nowNs = nanoTime.getAsLong();
    newest.values().removeIf(done -> done.isOver(nowNs));
    return newest.get(key);
  }

  /** Under {@link #newest}. */
  private void put(Key key, Done done) {
    newest.remove(key);
    newest.put(key, done);
    if (newest.size() > MAX) {
      Iterator<Done> oldest = newest.values().iterator();
      oldest.next();
      oldest.remove();
    }
  }
}
