/**
 * What a replicated group's state looks like on disk beside its journals: a snapshot's {@code
 * state.bin}. What entries do to a state is the broker's.
 */
package io.holdfast.storage.group;
