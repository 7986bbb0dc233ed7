import Hummingbird

/// A file of the page, from the folder of this source and part of the program.
struct PageFile {
    /// Where it is served.
    let path: String
    /// Its media type.
    private let type: String
    /// What is in it.
    private let bytes: [UInt8]

    /// Every file.
    static let all = [
        PageFile(path: "/", type: "text/html; charset=utf-8", bytes: PackageResources.page_html),
        PageFile(path: "/page.css", type: "text/css; charset=utf-8", bytes: PackageResources.page_css),
        PageFile(path: "/page.js", type: "text/javascript; charset=utf-8", bytes: PackageResources.page_js),
        PageFile(path: "/page.svg", type: "image/svg+xml", bytes: PackageResources.page_svg),
    ]

    /// The answer with it. Browsers ask again each time, so that a page never meets the script of another version.
    var response: Response {
        Response(
            status: .ok, headers: [.contentType: type, .cacheControl: "no-cache"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
