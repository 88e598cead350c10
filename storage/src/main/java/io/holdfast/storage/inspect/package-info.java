/**
 * Looking at a data directory without changing it, checking it, and copying it without what is
 * damaged.
 */
package io.holdfast.storage.inspect;
