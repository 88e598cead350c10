package io.holdfast.broker.cluster.engine;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongConsumer;

/** The proposals of a group that are under way, within a bound. Thread-safe. */
final class JraftProposals {
  static final long MAX_BYTES = 32 << 20;

  /**
   * Below what fits into a ring of JRaft's, which refuses some of those that are too many and takes
   * later ones: here all are refused that come behind.
   */
  static final int MAX_COUNT = JraftOptions.RING_SLOTS - 512;

  private static final int PROPOSAL_BYTES = 64;

  private final Set<JraftProposal> underWay = ConcurrentHashMap.newKeySet();
  private final AtomicLong bytes = new AtomicLong();
  private final AtomicInteger count = new AtomicInteger();
  private volatile LongConsumer committed = ns -> {};

  /** Notes a proposal, null when too much is under way. */
  JraftProposal add(Proposal proposal, int entryBytes) {
    int its = PROPOSAL_BYTES + entryBytes;
    boolean isTooMuch = count.incrementAndGet() > MAX_COUNT;
    isTooMuch |= bytes.addAndGet(its) > MAX_BYTES + its;
    if (isTooMuch) {
      count.decrementAndGet();
      bytes.addAndGet(-its);
      return null;
    }
    JraftProposal made = new JraftProposal(proposal, its, this);
    underWay.add(made);
    return made;
  }

  /** Who is told how long each took that was applied, ns. */
  void onCommit(LongConsumer told) {
    committed = told;
  }

  /** One was applied. */
  void applied(long beganNs) {
    committed.accept(System.nanoTime() - beganNs);
  }

  void told(JraftProposal proposal) {
    if (underWay.remove(proposal)) {
      count.decrementAndGet();
      bytes.addAndGet(-proposal.bytes());
    }
  }

  /** The group stops: nobody will tell them. */
  void unknown(String reason) {
    underWay.forEach(proposal -> proposal.unknown(reason));
  }
}
