package io.holdfast.broker.cluster.engine;

import java.nio.ByteBuffer;

/**
 * An entry of a {@link LocalGroup} and who waits for it.
 *
 * @param index 0 while it has none
 */
record LocalProposal(long index, ByteBuffer entry, Proposal proposal) {
  private static final int PROPOSAL_BYTES = 64;

  long bytes() {
    return PROPOSAL_BYTES + (long) entry.remaining();
  }

  LocalProposal at(long itsIndex) {
    return new LocalProposal(itsIndex, entry, proposal);
  }
}
