/**
 * OCI archives: reads them without trusting them, makes small ones, unpacks one into a directory.
 * Must not talk to an engine or a registry, keep a layer in memory, or write outside the directory it was given.
 * Read first: archive-file.ts, extract-layers.ts.
 */
export { type Archive, type ArchiveImage, type Blob, openArchive } from './archive-file.ts'
export { type ArchiveFile, buildArchive, type ImageSource } from './build-archive.ts'
export { type ExtractBounds, extractLayers } from './extract-layers.ts'
export { configDocument, type ImageConfig, imageConfig, manifestDocument } from './image-documents.ts'
