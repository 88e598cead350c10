/**
 * What Holdfast keeps on disk; it knows nothing of the network. All classes are in sub-packages,
 * which import in one direction:
 *
 * <pre>{@code
 * inspect -> topic -> journal, ledger -> log -> files, record -> values
 *                              raft -> log
 * }</pre>
 *
 * <p>storage/README.md draws the formats and the crash points.
 */
package io.holdfast.storage;
