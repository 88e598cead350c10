package io.holdfast.broker.cluster.engine;

import com.alipay.sofa.jraft.Closure;
import com.alipay.sofa.jraft.Status;
import com.alipay.sofa.jraft.error.RaftError;
import java.util.concurrent.atomic.AtomicBoolean;

/** A proposal under way: told once, whoever knows first. Thread-safe. */
final class JraftProposal implements Closure {
  private final Proposal proposal;
  private final int bytes;
  private final JraftProposals all;
  private final AtomicBoolean isTold = new AtomicBoolean();
  private final long beganNs = System.nanoTime();

  JraftProposal(Proposal proposal, int bytes, JraftProposals all) {
    this.proposal = proposal;
    this.bytes = bytes;
    this.all = all;
  }

  /** Of the entry and of what is kept for it. */
  int bytes() {
    return bytes;
  }

  void applied(long index) {
    if (tell()) {
      all.applied(beganNs);
      proposal.applied(index);
    }
  }

  void refused(String reason) {
    if (tell()) {
      proposal.refused(reason);
    }
  }

  void unknown(String reason) {
    if (tell()) {
      proposal.unknown(reason);
    }
  }

  private boolean tell() {
    if (!isTold.compareAndSet(false, true)) {
      return false;
    }
    all.told(this);
    return true;
  }

  /**
   * JRaft gave it up. Of its codes only "busy" says that the entry is in no log: "no permission" is
   * for those that never were and for those whose fate the next leader decides.
   */
  @Override
  public void run(Status status) {
    if (status.getRaftError() == RaftError.EBUSY) {
      refused(ClusterGroup.BUSY);
    } else {
      unknown(status.getErrorMsg());
    }
  }
}
