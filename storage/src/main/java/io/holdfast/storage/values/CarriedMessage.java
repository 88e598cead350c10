package io.holdfast.storage.values;

import java.util.concurrent.TimeUnit;

/**
 * A message of which a copy stands further on in the journal, so that its own record may go.
 *
 * @param place where the copy stands; not to be changed
 * @param timestampNs publish time, ns since 1970
 * @param deferMs the deferral it was published with, ms; 0 for none
 */
public record CarriedMessage(MessageRef place, long timestampNs, long deferMs) {
  /** The number of the message. */
  public long ordinal() {
    return place.ordinal();
  }

  /** Where it stands, for a channel. */
  public MessageRef ref(int packedAttempts) {
    return new MessageRef(
        place.ordinal(),
        place.batchPosition(),
        place.bodyOffset(),
        place.bodyLength(),
        packedAttempts,
        true);
  }

  /**
   * What a channel has of it that knows nothing but how often it was delivered: before the first
   * time it is not due before the deferral that it was published with.
   */
  public HeldMessage held(int packedAttempts) {
    MessageRef ref = ref(packedAttempts);
    return packedAttempts > 0
        ? new HeldMessage(ref, 0)
        : HeldMessage.after(ref, deferMs, TimeUnit.NANOSECONDS.toMillis(timestampNs));
  }
}
