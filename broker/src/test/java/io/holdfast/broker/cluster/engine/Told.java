package io.holdfast.broker.cluster.engine;

import static java.util.concurrent.TimeUnit.SECONDS;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;

/** What became of a proposal, once: a second word fails the test that asks. */
final class Told implements Proposal {
  private final CompletableFuture<String> what = new CompletableFuture<>();
  private volatile String twice;

  static Told of(ClusterGroup group, long term, String entry) {
    Told told = new Told();
    group.propose(term, ByteBuffer.wrap(entry.getBytes(StandardCharsets.UTF_8)), told);
    return told;
  }

  /** "applied 7", "refused why" or "unknown why". */
  String get() throws Exception {
    String told = what.get(60, SECONDS);
    if (twice != null) {
      throw new AssertionError(told + ", and then " + twice);
    }
    return told;
  }

  boolean isApplied() throws Exception {
    return get().startsWith("applied ");
  }

  boolean isKnown() {
    return what.isDone();
  }

  @Override
  public void applied(long index) {
    tell("applied " + index);
  }

  @Override
  public void refused(String reason) {
    tell("refused " + reason);
  }

  @Override
  public void unknown(String reason) {
    tell("unknown " + reason);
  }

  private void tell(String told) {
    if (!what.complete(told)) {
      twice = told;
    }
  }
}
