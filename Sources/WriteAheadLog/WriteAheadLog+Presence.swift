import Automata

extension WriteAheadLog {
    /// Whether there is any segment in the directory; false when there is no such directory. Throws when the
    /// directory is there and cannot be read.
    public static func isPresent(
        in directory: String, files: any FileSystem = SystemFiles.shared
    ) throws -> Bool {
        do {
            return try files.names(in: directory).contains {
                LogFileName.segmentNumber($0) != nil
            }
        } catch {
            if error.code == .missing { return false }
            throw error.asLogError
        }
    }
}
