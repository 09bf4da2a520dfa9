/** A client that is known by its name, wherever that stands, with a version or without. */
export interface NamedClient {
  name: string;
  /** '' when it tells none. */
  version: string;
}

/** Robots, feed fetchers, monitors, libraries: they come before browsers, whose words they borrow. */
const ROBOTS = alternatives(`
  1470.net_crawler 50.nu Aboundex Altresium AppEngine-Google Ask_Jeeves Axtaris BUbiNG BaiduMobaider BingPreview BlogBridge
  Bloglovin BoardReader_Blog_Indexer BoardReader_Favicon_Fetcher BoardReader CSimpleSpider Checklinks Cityreview_Robot
  Comodo_HTTP(S)_Crawler Comodo-Webinspector-Crawler ConveraCrawler CrawlConvera CrawlDaddy CrawlFire Daumoa-feedfetcher Daumoa
  Exabot FAST-WebCrawler Feed_Seeker_Bot Feedbin Flamingo_SearchEngine FollowSite_Bot Genieo GomezAgent Google-InspectionTool
  Google_SketchUp GoogleOther HTTrack HiddenMarket HooWWWer ICC-Crawler Icarus6j IconSurf IlTrovatore-Setaccio IlTrovatore
  Index_crawler InfuzApp Innovazion_Crawler InternetArchive Job_Roboter KiwiStatus_Spider Kraken Kurzor LEIA LesnikBot Lijit_Crawler
  LinkAider Linguee_Bot LinkedInBot Lite_Bot Llaut MJ12bot MXit_WebBot Mail.RU_Bot Mediapartners-Google Metadata_Scraper
  Mtps_Feed_Aggregation_System MySpaceScraper Netvibes Nymesis ObjectsSearch Orbiter PHPCrawl 
  PagePeeker PagesInventory PaxleFramework Peeplo_Screenshot_Bot PipeLine_Spider PlantyNet_WebRobot Pompos QuerySeekerSpider
  Qwantify Reaper RecipeRadar RedCarpet Retreiver Riddler Rival_IQ SEOstats Scrapy Scrubby SimplePie SimpleRSS Simpy SiteCat_Webbot
  SiteCon Slack-ImgProxy Slackbot-LinkExpanding Speedy_Spider Squrl_Java Stringer TheUsefulbot ThumbShotsBot Thumbshots.ru
  Tiny_Tiny_RSS Trends_Crawler URL2PNG Vagabondo VoilaBot Votay_bot WASALive_Bot WIRE Web-sniffer WebThumb WhatWeb WhatsApp WordPress Wotbox
  Xenu's_Link_Sleuth Xenu_Link_Sleuth YFSJ_crawler YahooSeeker Yeti-FeedItemCrawler YottaaMonitor Yowedo Zao ZooShot ZyBorg
  YandexBot altavista archive.org_bot bingbot boitho.com-dc clumboot findlinks gonzo1 grub-client gsa-crawler heritrix holmes htdig ia_archiver ichiro/mobile ichiro
  larbin lycos masidani_bot masscan mogimogi mozDex msnbot-media msnbot netresearch scooter searchsight semanticdiscovery snappy www.almaden.ibm.com
  fetchurl`);

/** Players, feed readers, mail programs, tools and browsers that put a space before their version, or tell none. */
const PROGRAMS = alternatives(`
  AlexaMediaPlayer AntennaPod BashPodder BeyondPod CITA Clementine DoggCatcher Doppler Downcast FancyMusic GoldenPod Juice LG_Player
  MediaGo MediaMonkey NSPlayer Overcast Peapod Player_FM PocketTunes Pocket_Casts PodCruncher Podkicker QuickNews QuickTime Replay
  Rivo Spotify Stitcher VLC VOX amarok bPod gPodder iPodder jPodder philpodder podracer
  Airmail Barca Evolution Liferea Lotus-Notes MailBar NetNewsWire Postbox RCM_CardDAV_plugin Superhuman The_Bat! YahooMobileMail kmail2
  ArcGIS_Pro BacaBerita_App Box_Sync Download_Master GeoEvent_Server Google_Earth Microsoft_SkyDriveSync Nextcloud S3_Browser
  SAP_NetWeaver_Application_Server Symphony Tygron_Platform
  AvantGo BrowseX Crazy_Browser ELinks Jasmine Lunascape Maemo_Browser MyIE2 NCSA_Mosaic Polaris QtCarBrowser Raven_for_Mac SkipStone
  Sleipnir Space_Bison UP.Browser Uzbl iCab iRider luakit
  Apache-CXF Apache-HttpClient Go-CF-client Go-http-client HttpMonitor JNLP Microsoft-CryptoAPI PostmanRuntime PycURL S3Gof3r
  Site24x7 SophosAgent SophosUpdateManager TLSProber WinHTTP Windows-Update-Agent WindowsPowerShell akka-http axios
  go-resty libcurl-agent libwww-perl ping-service reqwest sap-leonardo-iot-sdk-nodejs scalaj-http urlgrabber wget2 PRTG_Network_Monitor
  Boto3 JetS3t aws-cli aws-sdk-cpp aws-sdk-dotnet-35 aws-sdk-dotnet-45 aws-sdk-dotnet-core aws-sdk-go-v2 aws-sdk-go aws-sdk-nodejs s3fs`);

/** @param text at most a few hundred characters @returns null when no robot of the table is named */
export function findRobotName(text: string): NamedClient | null {
  return find(text, ROBOTS);
}

/** @param text at most a few hundred characters @returns null when no program of the table is named */
export function findProgramName(text: string): NamedClient | null {
  return find(text, PROGRAMS);
}

function find(text: string, names: RegExp): NamedClient | null {
  const found = names.exec(text);
  return found === null ? null : { name: found[1] ?? '', version: found[2] ?? '' };
}

/** Names between white space; where two words make a name, `_` joins them and stands for a space or itself. */
function alternatives(names: string): RegExp {
  const patterns = names
    .trim()
    .split(/\s+/)
    .map((name) => name.replace(/[.()!/]/g, '\\$&').replaceAll('_', '[ _]'));
  return new RegExp(`(?<![A-Za-z0-9])(${patterns.join('|')})(?![A-Za-z])(?:[ /(-]{0,3}v?(\\d[\\w.]{0,20}))?`);
}
